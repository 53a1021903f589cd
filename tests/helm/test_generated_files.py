"""What is generated is what is in the chart, and the schema of the values leaves nothing open."""

import json
import re

import yaml
from helm.regenerate import chart_files
from helm.rendering import rendered_with
from helm.values_file import CHART, leaves, values
from helm.values_schema import subschemas

from extauthz.document.strict import loads
from extauthz.settings.process import LimitSettings

# What an extension of the program is configured with, and `extraObjects`: nobody here can know their keys.
_OPEN = ["extauthz.ExtensionSettings.1", "object"]


def schema():
    return json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def test_schema_and_readme_are_those_of_the_values():
    """`cd tests && ../.venv/bin/python -m helm.regenerate` writes them anew."""
    for path, text in chart_files().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def _open_parts(part, place):
    if "properties" in part and part.get("additionalProperties") is not False:
        yield place
    if part.get("additionalProperties") is True or part == {"type": "object"}:
        yield place
    for number, below in enumerate(subschemas(part)):
        yield from _open_parts(below, f"{place}.{number}")


def test_no_level_of_the_schema_takes_unknown_keys():
    whole = schema()
    assert whole["properties"].pop("global") == {"type": "object", "additionalProperties": True}
    definitions = whole.pop("$defs")
    found = list(_open_parts(whole, "values"))
    for name, definition in definitions.items():
        found += _open_parts(definition, name)
    assert sorted(found) == _OPEN


def test_every_reference_of_the_schema_leads_somewhere():
    whole = schema()
    names = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(whole)))
    assert names == whole["$defs"].keys()


def test_every_value_is_described():
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    assert [".".join(value.path) for value in leaves(values(text)) if len(value.description) < 6] == []


def test_the_version_of_the_program_is_that_of_the_package():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    package = (CHART.parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{chart["appVersion"]}"\n' in package


def test_artifact_hub_can_read_the_annotations():
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["annotations"]
    assert all(isinstance(value, str) for value in annotations.values())
    kinds = {"added", "changed", "deprecated", "removed", "fixed", "security"}
    changes = yaml.safe_load(annotations["artifacthub.io/changes"])
    assert all(change.keys() == {"kind", "description"} and change["kind"] in kinds for change in changes)
    is_security = "security" in {change["kind"] for change in changes}
    assert annotations["artifacthub.io/containsSecurityUpdates"] == ("true" if is_security else "false")
    (image,) = yaml.safe_load(annotations["artifacthub.io/images"])
    assert image["platforms"] == ["linux/amd64", "linux/arm64"]
    links = yaml.safe_load(annotations["artifacthub.io/links"])
    assert all(link.keys() == {"name", "url"} and link["url"].startswith("https://") for link in links)


def test_the_chart_claims_no_key_no_license_and_no_registry_that_there_is_not():
    chart = (CHART / "Chart.yaml").read_text(encoding="utf-8")
    annotations = yaml.safe_load(chart)["annotations"]
    assert "artifacthub.io/signKey" not in annotations  # whoever publishes the chart signs it with a key of theirs
    has_license = any((CHART.parents[2]).glob("LICENSE*"))
    assert ("artifacthub.io/license" in annotations) == has_license
    (image,) = yaml.safe_load(annotations["artifacthub.io/images"])
    assert "/" not in image["image"]
    assert rendered_with().container["image"] == image["image"]


def test_the_chart_knows_the_limits_of_the_program():
    """The grace period and the timeouts of the snippets are made from them where `config.limits` says nothing."""
    limits = loads("{}", LimitSettings, "defaults")
    template = (CHART / "templates/_settings.tpl").read_text(encoding="utf-8")
    known = dict(re.findall(r'"(\w+_seconds)" ([0-9.]+)', template.split("$defaults :=")[1].split("\n")[0]))
    assert {name: float(value) for name, value in known.items()} == {
        name: getattr(limits, name) for name in ("check_seconds", "drain_seconds", "grace_seconds")
    }
