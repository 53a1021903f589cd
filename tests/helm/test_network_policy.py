"""Who may connect, and where pods may connect to."""

import pytest
from helm.rendering import ci_names, ci_values, rendered_ci, rendered_with

PEER = [{"podSelector": {"matchLabels": {"app": "nginx"}}}]


def test_the_policy_lets_in_gateways_and_the_test_and_out_to_what_is_needed():
    spec = rendered_ci("network-policy").find("NetworkPolicy", "gate-extauthz")["spec"]
    checks, operations = spec["ingress"]
    assert checks["ports"] == [{"protocol": "TCP", "port": 9191}]
    assert [*checks["from"][0]] == ["namespaceSelector", "podSelector"]
    assert checks["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"
    assert operations["ports"] == [{"protocol": "TCP", "port": 9192}]
    assert len(operations["from"]) == 2
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [53, 53, 6379, 6379, 443, 4318]
    assert all(rule["to"] for rule in spec["egress"])


def test_a_rule_without_anybody_is_left_out():
    """An empty `from` would let in everybody."""
    policy = {"enabled": True, "ingress": {"httpCheck": PEER}}
    config = {"http_check": {"proxy": "nginx"}}
    without = rendered_with(config=config, networkPolicy=policy, test={"enabled": False})
    (rule,) = without.find("NetworkPolicy", "gate-extauthz")["spec"]["ingress"]
    assert rule == {"ports": [{"protocol": "TCP", "port": 9193}], "from": PEER}


@pytest.mark.parametrize("name", [name for name in ci_names() if "networkPolicy" in ci_values(name)])
def test_nobody_is_let_in_who_is_not_named(name):
    policies = [m for m in rendered_ci(name).manifests if m["kind"] == "NetworkPolicy"]
    assert policies
    for policy in policies:
        assert "Ingress" in policy["spec"]["policyTypes"]
        assert all(rule["from"] for rule in policy["spec"].get("ingress", []))


def test_the_test_reaches_what_it_asks_and_nothing_else():
    spec = rendered_ci("network-policy").find("NetworkPolicy", "gate-extauthz-test")["spec"]
    names, checks = spec["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert checks["ports"] == [{"protocol": "TCP", "port": 9191}]
    assert checks["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "data-plane"
    assert "ingress" not in spec
    assert spec["policyTypes"] == ["Ingress", "Egress"]


def test_names_are_resolved_where_the_pods_of_the_cluster_listen():
    for policy in [m for m in rendered_ci("openshift").manifests if m["kind"] == "NetworkPolicy"]:
        names = policy["spec"]["egress"][0]
        assert {(port["protocol"], port["port"]) for port in names["ports"]} == {
            ("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353),
        }  # fmt: skip
