import pytest
import yaml
from support.catalogs import catalog_document, text_of
from typer.testing import CliRunner

from extauthz.cli.application import application

SETTINGS = {"catalog": {"file": "catalog.yaml"}, "secrets": {"pepper": {"file": "pepper"}}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "extauthz.yaml").write_text(yaml.safe_dump(SETTINGS))
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document()))
    return tmp_path


def validate(*options):
    return CliRunner().invoke(application, ["config", "validate", *map(str, options)])


def test_right_files_are_told_by_name(folder):
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 0, result.output
    told = [f"{folder / name}: right" for name in ("extauthz.yaml", "catalog.yaml")]
    assert result.stdout.splitlines() == told


def test_a_mistake_in_the_catalog_has_its_place(folder):
    (folder / "catalog.yaml").write_text(text_of(catalog_document(apis=[{"id": "a"}])))
    result = validate("--config", folder / "extauthz.yaml")
    assert result.exit_code == 2
    assert "apis[0].name" in result.stderr


def test_the_settings_alone_need_no_catalog(folder):
    (folder / "catalog.yaml").unlink()
    assert validate("--config", folder / "extauthz.yaml").exit_code == 2
    assert validate("--config", folder / "extauthz.yaml", "--no-catalog").exit_code == 0


def test_a_catalog_alone_needs_no_settings(folder):
    assert validate("--catalog", folder / "catalog.yaml").exit_code == 0


def test_secrets_are_looked_for_only_when_asked(folder):
    assert validate("--config", folder / "extauthz.yaml").exit_code == 0
    missing = validate("--config", folder / "extauthz.yaml", "--secrets")
    assert missing.exit_code == 2
    assert "secrets.pepper" in missing.stderr
    (folder / "pepper").write_text("x")
    assert validate("--config", folder / "extauthz.yaml", "--secrets").exit_code == 0


@pytest.mark.parametrize("options", [[], ["--secrets"], ["--catalog", "c.yaml", "--config", "e.yaml", "--no-catalog"]])
def test_options_that_say_nothing_together_are_bad_input(options):
    assert validate(*options).exit_code == 2
