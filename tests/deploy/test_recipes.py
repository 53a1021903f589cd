"""The manifests of the recipes: Kubernetes takes its own objects, and the others have only fields that are published.

What is published was read by hand: see `COMPARED_WITH`.
"""

import re

import pytest
import yaml
from deploy.custom_resources import COMPARED_WITH, MESH, SPECS, unpublished, unpublished_part
from helm.kubernetes import contradictions
from support.envoy import ROOT

from extauthz.cli.demo.envoy_bootstrap import connection_manager, ext_authz, load
from extauthz.envoy.route_metadata import ENVOY_GATEWAY_ANNOTATION
from extauthz.settings.process import LimitSettings

PAGES = ("istio", "envoy-gateway", "migrating-from-authorino")


def documents(page):
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    return [
        document
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        for document in yaml.safe_load_all(block)
    ]


def manifests(page):
    return [document for document in documents(page) if "kind" in document]


MANIFESTS = [
    pytest.param(manifest, id=f"{page}-{manifest['kind']}-{manifest['metadata']['name']}")
    for page in PAGES
    for manifest in manifests(page)
]


def of(page, kind):
    return [manifest for manifest in manifests(page) if manifest["kind"] == kind]


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_has_only_what_is_published(manifest):
    assert unpublished(manifest) == []


def test_a_field_that_is_not_published_is_found():
    (rule, _) = of("istio", "DestinationRule")
    wrong = rule | {"spec": rule["spec"] | {"trafficPolicies": {}}}
    assert unpublished(wrong) != []
    assert unpublished_part(wrong) != []
    part = {"apiVersion": rule["apiVersion"], "kind": rule["kind"], "metadata": {"name": "a"}, "spec": {"host": "b"}}
    assert unpublished(part) != []
    assert unpublished_part(part) == []


def test_the_settings_of_the_mesh_have_only_what_is_published():
    (mesh,) = (document for document in documents("istio") if "meshConfig" in document)
    assert contradictions(mesh, MESH) == []


def test_each_kind_was_compared_with_something_and_is_used():
    assert {version.partition("/")[0] for version, _ in SPECS} | {"meshConfig"} == COMPARED_WITH.keys()
    used = {(manifest["apiVersion"], manifest["kind"]) for page in PAGES for manifest in manifests(page)}
    assert SPECS.keys() <= used


@pytest.mark.parametrize(
    ("page", "groups"),
    [
        ("istio", {"security.istio.io", "networking.istio.io", "meshConfig"}),
        ("envoy-gateway", {"gateway.envoyproxy.io", "gateway.networking.k8s.io"}),
        ("migrating-from-authorino", {"authorino.kuadrant.io"}),
    ],
)
def test_a_page_says_what_it_was_compared_with(page, groups):
    text = " ".join((ROOT / f"docs/{page}.md").read_text(encoding="utf-8").split())
    assert {group for group in groups if COMPARED_WITH[group] not in text} == set()


def test_istio_knows_the_provider_that_its_policy_names():
    (mesh,) = (document["meshConfig"] for document in documents("istio") if "meshConfig" in document)
    (provider,) = mesh["extensionProviders"]
    policies = [policy for policy in of("istio", "AuthorizationPolicy") if policy["spec"]["action"] == "CUSTOM"]
    assert [policy["spec"]["provider"]["name"] for policy in policies] == [provider["name"]]
    hosts = {rule["spec"]["host"] for rule in of("istio", "DestinationRule")}
    assert hosts == {provider["envoyExtAuthzGrpc"]["service"]}


def test_timeouts_are_above_the_budget_of_a_check():
    (mesh,) = (document["meshConfig"] for document in documents("istio") if "meshConfig" in document)
    told = [provider["envoyExtAuthzGrpc"]["timeout"] for provider in mesh["extensionProviders"]]
    told += [policy["spec"]["extAuth"]["timeout"] for policy in of("envoy-gateway", "SecurityPolicy")]
    assert all(float(timeout.removesuffix("s")) > LimitSettings().check_seconds for timeout in told)


def test_the_filter_of_istio_is_that_of_the_bootstrap():
    (envoy_filter,) = of("istio", "EnvoyFilter")
    asked, manager = (patch["patch"]["value"]["typed_config"] for patch in envoy_filter["spec"]["configPatches"])
    bootstrap = load(ROOT / "deploy/envoy/envoy.yaml")
    assert asked.pop("include_peer_certificate")
    assert asked.items() <= ext_authz(bootstrap).items()
    assert manager.items() <= connection_manager(bootstrap).items()


def test_envoy_gateway_sends_the_headers_that_the_bootstrap_sends():
    sent = [
        pattern["exact"] for pattern in ext_authz(load(ROOT / "deploy/envoy/envoy.yaml"))["allowed_headers"]["patterns"]
    ]
    policies = of("envoy-gateway", "SecurityPolicy")
    assert [policy["spec"]["extAuth"]["headersToExtAuth"] for policy in policies] == [sent] * len(policies)


def test_a_route_names_its_api_as_extauthz_reads_it():
    (route,) = of("envoy-gateway", "HTTPRoute")
    assert route["metadata"]["annotations"].keys() == {f"gateway.envoyproxy.io/{ENVOY_GATEWAY_ANNOTATION}"}
    extensions = [
        policy["spec"]["extAuth"].get("contextExtensions") for policy in of("envoy-gateway", "SecurityPolicy")
    ]
    assert extensions == [None, [{"name": "api", "type": "Value", "value": "petstore-v1"}]]


def test_what_authorino_says_and_what_we_say_are_about_the_same():
    auth_config, catalog, settings = documents("migrating-from-authorino")
    assert catalog["apis"][0]["hosts"] == auth_config["spec"]["hosts"]
    assert (
        catalog["key_managers"][0]["issuer"] == auth_config["spec"]["authentication"]["corporate"]["jwt"]["issuerUrl"]
    )
    names = [name.lower() for name in settings["upstream_headers"]]
    assert [*names, "x-jwt-assertion"] == list(auth_config["spec"]["response"]["success"]["headers"])
