"""Every values file of `ci/`: rendered, linted, and put to the schemas of Kubernetes."""

import pytest
from helm.custom_resources import CUSTOM_RESOURCES
from helm.kubernetes import UnknownKind, contradictions, mistakes, newest_releases
from helm.rendering import GOLDEN, ci_names, ci_values, golden, golden_file, rendered_ci
from helm.values_file import CHART
from helm_python import lint

_WARNING = 2
every_values_file = pytest.mark.parametrize("name", ci_names())


def test_there_are_enough_values_files():
    assert len(ci_names()) >= 20


@every_values_file
def test_every_object_is_valid_in_the_three_newest_releases(name):
    for manifest in rendered_ci(name).manifests:
        for version in newest_releases(3):
            try:
                assert mistakes(manifest, version) == [], (manifest["kind"], version)
            except UnknownKind:
                schema = CUSTOM_RESOURCES[manifest["apiVersion"], manifest["kind"]]
                assert contradictions(manifest, schema) == []


@every_values_file
def test_lint_finds_nothing(name):
    # The schema of the values was applied when the file was rendered.
    report = lint(CHART, ci_values(name), strict=True, skip_schema_validation=True)
    assert [message for message in report["messages"] if message["severity"] >= _WARNING] == []


@every_values_file
def test_objects_are_told_apart_and_belong_to_the_release(name):
    manifests = [
        m for m in rendered_ci(name).manifests if "app.kubernetes.io/managed-by" in m["metadata"].get("labels", {})
    ]
    keys = [(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests]
    assert len(keys) == len(set(keys)) > 0
    assert {m["metadata"]["labels"]["app.kubernetes.io/instance"] for m in manifests} == {"gate"}
    assert all(len(name) <= 63 for _, _, name in keys)


@every_values_file
def test_what_selects_pods_selects_those_of_one_component(name):
    rendered = rendered_ci(name)
    pods = [m["spec"]["template"]["metadata"]["labels"] for m in rendered.manifests if m["kind"] == "Deployment"]
    pods += [m["metadata"]["labels"] for m in rendered.manifests if m["kind"] == "Pod"]
    for manifest in rendered.manifests:
        if manifest["kind"] == "Service":
            wanted = manifest["spec"]["selector"].items()
            assert sum(wanted <= labels.items() for labels in pods) == 1


@pytest.mark.parametrize("name", GOLDEN)
def test_a_render_changes_on_purpose_only(name):
    """`cd tests && ../.venv/bin/python -m helm.regenerate` writes them anew."""
    assert golden(name) == golden_file(name).read_text(encoding="utf-8")


def test_every_template_is_in_a_golden_render():
    kept = "".join(golden_file(name).read_text(encoding="utf-8") for name in GOLDEN)
    templates = [
        path.relative_to(CHART) for path in (CHART / "templates").rglob("*") if path.suffix in {".yaml", ".txt"}
    ]
    assert [str(template) for template in templates if f"# {template}\n" not in kept] == ["templates/extra.yaml"]
