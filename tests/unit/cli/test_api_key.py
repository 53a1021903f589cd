import re

import pytest
import yaml
from support.catalogs import catalog_document, text_of
from typer.testing import CliRunner

from extauthz.authn.api_key_hash import ApiKeyHashes
from extauthz.catalog.document import CatalogDocument
from extauthz.cli.api_key import app
from extauthz.document.strict import loads

SECRET, FORMER = "s" * 32, "f" * 32
SETTINGS = {
    "catalog": {"file": "catalog.yaml"},
    "api_keys": {"secret": ["new", "former"]},
    "secrets": {"new": {"file": "new"}, "former": {"file": "former"}, "elsewhere": {"env": "NOT_ON_THIS_MACHINE"}},
}
KEY = "xk_" + "A" * 43


@pytest.fixture
def config(tmp_path):
    (tmp_path / "new").write_text(SECRET)
    (tmp_path / "former").write_text(FORMER)
    path = tmp_path / "extauthz.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return path


def run(*arguments, given=None):
    return CliRunner().invoke(app, [*map(str, arguments)], input=given)


def create(config):
    result = run("create", "--config", config, "--id", "partner", "--application", "app")
    assert result.exit_code == 0, result.output
    return yaml.safe_load(result.stdout)


def test_a_new_key_comes_with_its_entry_for_the_catalog(config):
    made = create(config)
    catalog = loads(text_of(catalog_document(api_keys=made["api_keys"])), CatalogDocument, "catalog.yaml")
    (entry,) = catalog.api_keys
    assert (entry.id, entry.application) == ("partner", "app")
    assert entry.hash == ApiKeyHashes([SECRET.encode()]).entry(made["api_key"])


def test_every_key_is_new(config):
    assert create(config)["api_key"] != create(config)["api_key"]


def test_the_hash_of_a_key_is_read_from_standard_input(config):
    result = run("hash", "--config", config, given=f"{KEY}\n")
    assert (result.exit_code, result.stdout) == (0, ApiKeyHashes([SECRET.encode()]).entry(KEY) + "\n")


@pytest.mark.parametrize("given", ["", "hunter2", "xk_short", f"{KEY} {KEY}", "A" * 100_000, "eyJh.e30.c2ln"])
def test_a_key_that_could_be_guessed_has_no_hash_and_is_not_repeated(config, given):
    result = run("hash", "--config", config, given=given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not given or given not in result.stderr


def test_without_a_secret_for_keys_the_message_says_what_is_missing(config):
    config.write_text(yaml.safe_dump({name: value for name, value in SETTINGS.items() if name != "api_keys"}))
    result = run("hash", "--config", config, given=KEY)
    assert result.exit_code == 2
    assert "api_keys: {secret:" in result.stderr


def test_a_secret_that_could_be_guessed_is_a_mistake_in_the_settings(config):
    (config.parent / "former").write_text("short")
    result = run("hash", "--config", config, given=KEY)
    assert result.exit_code == 2
    assert re.search(r"api_keys.*secret", result.stderr)
    assert "short" not in result.stdout
