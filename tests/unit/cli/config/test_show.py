import json

import pytest
import yaml
from typer.testing import CliRunner

from extauthz.cli.application import application

SECRET = "a secret of at least 32 bytes, for tests"
SETTINGS = {
    "catalog": {"file": "catalog.yaml"},
    "api_keys": {"secret": ["pepper"]},
    "secrets": {"pepper": {"env": "TEST_PEPPER"}},
    "extensions": {"authorizers": [{"name": "geo", "options": {"password": SECRET}}]},
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_PEPPER", SECRET)
    path = tmp_path / "extauthz.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return path


def shown(config, *options):
    result = CliRunner().invoke(application, ["config", "show", "--config", str(config), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_defaults_are_written_down_beside_what_was_said(config):
    effective = yaml.safe_load(shown(config))
    assert effective["listen"] == "127.0.0.1:9191"
    assert effective["limits"]["check_seconds"] == 2.5
    assert effective["catalog"]["file"] == "catalog.yaml"


def test_text_and_json_say_the_same(config):
    assert yaml.safe_load(shown(config)) == json.loads(shown(config, "--output", "json"))


def test_secrets_are_named_and_not_shown(config):
    text = shown(config)
    assert "pepper" in text
    assert SECRET not in text


def test_settings_that_cannot_be_used_are_bad_input(config):
    config.write_text("catalog: {file: c.yaml}\nlisten: nowhere\n")
    result = CliRunner().invoke(application, ["config", "show", "--config", str(config)])
    assert result.exit_code == 2
    assert "listen (line 2)" in result.stderr


def test_sets_are_in_order_so_that_two_files_can_be_compared(config):
    config.write_text("catalog: {file: c.yaml}\ndpop: {algorithms: [RS256, EdDSA, ES256, PS256]}\n")
    assert yaml.safe_load(shown(config))["dpop"]["algorithms"] == ["ES256", "EdDSA", "PS256", "RS256"]
