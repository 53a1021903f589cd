"""What `helm install` tells to write elsewhere."""

import re
import textwrap

import pytest
import yaml
from helm.rendering import rendered_ci, rendered_with


@pytest.mark.parametrize("name", ["minimal", "single", "tls-secret", "complete", "resident"])
def test_the_notes_have_snippets_that_are_yaml(name):
    notes = rendered_ci(name).notes
    snippets = re.findall(r"^\d\. (?:Envoy|Istio|Envoy Gateway)\n\n((?:   .*\n|\n)*?)\n   [A-Z]", notes, re.MULTILINE)
    assert len(snippets) == 3
    envoy, istio, gateway = ([*yaml.safe_load_all(textwrap.dedent(snippet))] for snippet in snippets)
    assert envoy[0].keys() == {"http_filters", "clusters"}
    assert istio[1]["kind"] == "AuthorizationPolicy"
    assert gateway[0]["kind"] == "SecurityPolicy"


def test_the_timeouts_of_the_notes_are_above_the_budget_of_a_check():
    notes = rendered_with(config={"limits": {"check_seconds": 1.25}}).notes
    assert "timeout: 1.75s" in notes
    assert "timeout: 1750ms" in notes  # durations of Gateway API have no fractions
