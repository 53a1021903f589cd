"""The examples of the documents are values that the chart takes, and what they lead to can be started."""

import re
import tarfile
from pathlib import Path

import pytest
import yaml
from helm.rendering import render
from helm.values_file import CHART
from helm_python import package

ROOT = Path(__file__).parents[2]


def blocks(path):
    return re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


EXAMPLES = [*blocks(ROOT / "docs/kubernetes.md"), *blocks(CHART / "README.md")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_an_example_is_taken(example):
    values = yaml.safe_load(example)
    has_catalog = "catalog" in values or "catalog" in values.get("config", {})
    rendered = render(values if has_catalog else values | {"catalog": {"existingConfigMap": "apis"}})
    assert rendered.deployment


def test_commands_name_what_there_is():
    """They need a cluster and a registry; the versions, paths and names in them need neither."""
    page = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
    commands = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert set(re.findall(r"extauthz-([0-9.]+)\.tgz", commands)) == {chart["version"]}
    assert set(re.findall(r"/extauthz:([0-9.]+)", commands)) == {chart["appVersion"]}
    paths = re.findall(r"(?:deploy|tests)/[\w./-]+", commands)
    assert paths
    assert all((ROOT / path).exists() for path in paths)


def test_what_is_packaged_is_the_chart_without_what_tests_it(tmp_path):
    with tarfile.open(package(CHART, destination=tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Chart.yaml", "values.yaml", "values.schema.json", "README.md", "templates/NOTES.txt"} <= names
    assert {"files/alerts.yaml", "files/dashboard.json", "files/renamed-values.yaml"} <= names
    assert [name for name in names if name.startswith("ci/") or name == "README.template.md"] == []
