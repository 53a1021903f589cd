"""The published JSON Schemas are those of the program, and editors can use them."""

import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from support.catalogs import catalog_document
from support.full_catalog import full_catalog
from typer.testing import CliRunner

from extauthz.catalog.document import CatalogDocument
from extauthz.cli.application import application
from extauthz.cli.config.schema import json_schema
from extauthz.settings.process import Settings

FOLDER = Path(__file__).parents[4] / "docs/schema"
FILES = {"extauthz.schema.json": [], "catalog.schema.json": ["--catalog"]}


def published(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_the_published_schema_is_that_of_the_program(name):
    """If this fails: `extauthz config schema > docs/schema/extauthz.schema.json`, with --catalog for the other."""
    result = CliRunner().invoke(application, ["config", "schema", *FILES[name]])
    assert result.exit_code == 0
    assert result.stdout == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["schema", "reference"])
@pytest.mark.parametrize("of", [[], ["--catalog"]], ids=["settings", "catalog"])
def test_what_is_published_cites_nothing_that_is_not(command, of):
    result = CliRunner().invoke(application, ["config", command, *of])
    assert result.exit_code == 0
    assert re.findall(r"seeds? 0\d*|wso2-facts|envoy-wire", result.stdout) == []


@pytest.mark.parametrize("name", FILES)
def test_it_is_a_schema_of_the_dialect_that_it_names(name):
    schema = published(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_right_files_are_valid(tmp_path):
    catalog, settings = re.findall(r"```yaml\n(.*?)```", (FOLDER.parents[1] / "README.md").read_text(), re.DOTALL)
    jsonschema.validate(yaml.safe_load(settings), published("extauthz.schema.json"))
    for document in (yaml.safe_load(catalog), catalog_document(), full_catalog(tmp_path)):
        jsonschema.validate(document, published("catalog.schema.json"))


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ("extauthz.schema.json", {"catalog": {"file": "c.yaml"}, "lisen": "127.0.0.1:1"}),
        ("extauthz.schema.json", {"catalog": {"file": "c.yaml"}, "limits": {"check_seconds": "2"}}),
        ("extauthz.schema.json", {}),
        ("catalog.schema.json", catalog_document(apis=[{"id": "a"}])),
    ],
)
def test_what_the_program_refuses_one_by_one_is_invalid(schema, document):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, published(schema))


@pytest.mark.parametrize("document", [Settings, CatalogDocument])
def test_editors_are_told_what_a_key_is_for(document):
    """The words beside a field in its class reach the schema."""
    schema = json_schema(document)
    parts = [schema, *schema["$defs"].values()]
    assert all("description" in part for part in parts)
    described = [key for part in parts for key in part.get("properties", {}).values() if "description" in key]
    assert len(described) > 20
