"""Alerts and dashboard name metrics and labels that there are, and belong to the release."""

import json
import re
from pathlib import Path

import pytest
import yaml
from helm.rendering import NAMESPACE, ci_values, render, rendered_ci
from helm.values_file import CHART

from extauthz.model.errors import Reason
from extauthz.telemetry.health import DISPENSABLE, ESSENTIAL

ROOT = Path(__file__).parents[2]
# What Prometheus itself adds.
OF_PROMETHEUS = {"job", "instance", "namespace", "le"}
ALERTS = yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((CHART / "files/dashboard.json").read_text(encoding="utf-8"))


def documented():
    """Metrics by name, with their labels: docs/metrics.md, which a test of its own holds to the exposition."""
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", page, re.MULTILINE)
    found: dict[str, set[str]] = {"up": set()}
    for name, kind, labels in rows:
        names = [f"{name}_bucket", f"{name}_sum", f"{name}_count"] if kind == "histogram" else [name]
        found |= {each: set(re.findall(r"`(\w+)`", labels)) for each in names}
    return found


def expressions():
    yield from (rule["expr"] for rule in ALERTS)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


@pytest.mark.parametrize("expression", [*expressions()])
def test_metrics_and_labels_exist(expression):
    metrics = documented()
    used = re.findall(r"\b(up|extauthz_\w+|process_\w+)\{([^}]*)\}", expression)
    assert used
    for name, selectors in used:
        assert name in metrics
        assert set(re.findall(r"(\w+)[=!]", selectors)) <= metrics[name] | OF_PROMETHEUS
    known = set().union(*(metrics[name] for name, _ in used)) | OF_PROMETHEUS
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert set(group.split(", ")) <= known


def test_every_metric_is_asked_for_with_its_job():
    for expression in expressions():
        assert re.findall(r"\b(?:up|(?:extauthz|process)_\w+)(?!\w|\{)", expression) == []
        assert all("job=" in braces for braces in re.findall(r"\{([^}]*)\}", expression))


def test_values_of_labels_exist():
    text = " ".join(expressions())
    assert set(re.findall(r'reason="(\w+)"', text)) <= {reason.value for reason in Reason}
    assert set(re.findall(r'component="(\w+)"', text)) <= ESSENTIAL | DISPENSABLE


def test_alerts_say_how_bad_it_is_and_what_to_look_at():
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_alerts_of_a_release_are_about_its_own_replicas():
    rule = rendered_ci("monitoring").find("PrometheusRule", "gate-extauthz")
    rules = rule["spec"]["groups"][0]["rules"]
    assert len(rules) == len(ALERTS)
    for each in rules:
        assert f'job="gate-extauthz-operations",namespace="{NAMESPACE}"' in each["expr"]
        assert 'job="extauthz"' not in each["expr"]
        assert each["labels"]["team"] == "gateway"
    assert "{{ $labels.instance }}" in json.dumps(rules)


def test_an_alert_can_be_left_out():
    values = ci_values("monitoring")
    values["prometheusRule"]["disabled"] = ["ExtauthzSlow"]
    groups = render(values).find("PrometheusRule", "gate-extauthz")["spec"]["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert len(names) == len(ALERTS)
    assert "ExtauthzSlow" not in names
    assert "Nothing" in names


def test_the_service_monitor_finds_the_service_of_the_operations_port_alone():
    rendered = rendered_ci("monitoring")
    spec = rendered.find("ServiceMonitor", "gate-extauthz")["spec"]
    wanted = spec["selector"]["matchLabels"].items()
    services = [m for m in rendered.manifests if m["kind"] == "Service" and wanted <= m["metadata"]["labels"].items()]
    (service,) = services
    assert spec["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_dashboard_arrives_as_it_is():
    data = rendered_ci("monitoring").find("ConfigMap", "gate-extauthz-dashboard")["data"]
    assert json.loads(data["extauthz.json"]) == DASHBOARD


def test_panels_do_not_lie_on_each_other():
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & cells, panel["title"]
        cells |= covered
