"""The expressions of alerts and dashboard are PromQL, and the cases of alerts.test.yaml are about all alerts.

Only promtool (it comes with Prometheus) can say what an alert does; where there is one, it is asked.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml
from support.envoy import ROOT

FILES = ROOT / "deploy/helm/extauthz/files"
CASES = Path(__file__).parent / "alerts.test.yaml"
RULES = yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
ALERTS = {rule["alert"] for rule in RULES}
TESTS = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]


def expressions_of_the_dashboard():
    panels = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def expressions_of_pages():
    """Of the table of questions, and of blocks."""
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    table = page.partition("## Questions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^|`]+ \| `(.+)` \|$", table, re.MULTILINE)
    blocks = re.findall(r"```promql\n(.*?)```", (ROOT / "docs/shadow-mode.md").read_text(encoding="utf-8"), re.DOTALL)
    return rows + [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    "expression", [*(rule["expr"] for rule in RULES), *expressions_of_the_dashboard(), *expressions_of_pages()]
)
def test_an_expression_is_promql(expression):
    # Grafana puts a duration there.
    assert promql_parser.parse(expression.replace("$__rate_interval", "5m"))


def test_there_are_expressions_of_each_kind():
    assert len(RULES) > 10
    assert len(expressions_of_the_dashboard()) > 20
    assert len(expressions_of_pages()) > 10


def expected(test):
    """(name of the alert, whether it fires) of each expectation; one that names no alert is about all of them."""
    for each in test.get("promql_expr_test", ()):
        named = re.findall(r'alertname=~?"([\w|]+)"', each["expr"])
        about = set(named[0].split("|")) if named else ALERTS
        listed = re.findall(r'alertname="(\w+)"', " ".join(sample["labels"] for sample in each["exp_samples"]))
        firing = set(listed) or (about if each["exp_samples"] else set())
        yield from ((name, name in firing) for name in about)
    yield from ((each["alertname"], bool(each["exp_alerts"])) for each in test.get("alert_rule_test", ()))


@pytest.mark.parametrize("fires", [True, False])
def test_each_alert_is_made_to_fire_and_not_to_fire(fires):
    assert {name for test in TESTS for name, told in expected(test) if told is fires} == ALERTS


def test_a_text_with_a_value_is_told():
    """`$value` in a text is of no use to a reader unless somebody looked at what becomes of it."""
    looked_at = {each["alertname"] for test in TESTS for each in test.get("alert_rule_test", ())}
    assert {rule["alert"] for rule in RULES if "$value" in rule["annotations"]["description"]} == looked_at


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed; it comes with Prometheus")
@pytest.mark.parametrize("arguments", [("check", "rules", FILES / "alerts.yaml"), ("test", "rules", CASES)])
def test_promtool_agrees(arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 - whichever is installed
    assert done.returncode == 0, done.stdout + done.stderr
