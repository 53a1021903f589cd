"""The manifests of the recipes: Kubernetes takes its own objects, and the others have only fields that are published.

The fields of custom resources were read in Envoy Gateway 1.9, Gateway API 1.4, Istio 1.27 and Authorino's v1beta3.
"""

import re
from typing import Any

import pytest
import yaml
from helm.kubernetes import contradictions, mistakes, newest_releases
from support.envoy import ROOT

from extauthz.cli.demo.envoy_bootstrap import connection_manager, ext_authz, load
from extauthz.envoy.route_metadata import ENVOY_GATEWAY_ANNOTATION
from extauthz.settings.process import LimitSettings

PAGES = ("istio", "envoy-gateway")
ANY: dict[str, Any] = {}
TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
NUMBER = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
DURATION = {"type": "string", "pattern": "^([0-9]+(h|m|s|ms))+$"}
LABELS = {"type": "object", "additionalProperties": TEXT}


def closed(*required, **optional):
    """An object of just these keys; those before the keywords are `(name, schema)` and must be there."""
    fixed = dict(required)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fixed),
        "properties": fixed | optional,
    }


def listed(schema):
    return {"type": "array", "items": schema, "minItems": 1}


TARGETS = listed(closed(("group", {"type": "string"}), ("kind", TEXT), ("name", TEXT), sectionName=TEXT))
BACKENDS = listed(closed(("name", TEXT), ("port", NUMBER), namespace=TEXT))
SELECTOR = closed(("matchLabels", LABELS))
SECURITY_POLICY = closed(
    ("targetRefs", TARGETS),
    (
        "extAuth",
        closed(
            ("failOpen", {"const": False}),
            ("statusOnError", {"const": 503}),
            ("timeout", DURATION),
            (
                "grpc",
                closed(
                    ("backendRefs", BACKENDS),
                    backendSettings=closed(
                        circuitBreaker=closed(
                            maxConnections=NUMBER,
                            maxPendingRequests=NUMBER,
                            maxParallelRequests=NUMBER,
                            maxParallelRetries=NUMBER,
                        )
                    ),
                ),
            ),
            headersToExtAuth=TEXTS,
            includeRouteMetadata=FLAG,
            contextExtensions=listed(closed(("name", TEXT), ("type", {"enum": ["Value", "ValueRef"]}), value=TEXT)),
        ),
    ),
)
CLIENT_TRAFFIC_POLICY = closed(
    ("targetRefs", TARGETS),
    path=closed(
        escapedSlashesAction={"enum": ["KeepUnchanged", "RejectRequest", "UnescapeAndForward", "UnescapeAndRedirect"]},
        disableMergeSlashes=FLAG,
    ),
    headers=closed(
        withUnderscoresAction={"enum": ["Allow", "RejectRequest", "DropHeader"]},
        earlyRequestHeaders=closed(remove=TEXTS),
    ),
)
AUTHORIZATION_POLICY = closed(
    ("action", {"enum": ["CUSTOM", "ALLOW"]}),
    ("rules", {"type": "array", "items": closed(**{"from": listed(ANY)}, to=listed(ANY)), "minItems": 1}),
    selector=SELECTOR,
    provider=closed(("name", TEXT)),
)
DESTINATION_RULE = closed(
    ("host", TEXT),
    (
        "trafficPolicy",
        closed(
            loadBalancer=closed(("simple", {"enum": ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"]})),
            connectionPool=closed(
                tcp=closed(maxConnections=NUMBER, connectTimeout=DURATION),
                http=closed(http1MaxPendingRequests=NUMBER, http2MaxRequests=NUMBER, maxRetries=NUMBER),
            ),
            outlierDetection=closed(
                consecutive5xxErrors=NUMBER,
                interval=DURATION,
                baseEjectionTime=DURATION,
                maxEjectionPercent=NUMBER,
                minHealthPercent=NUMBER,
            ),
            tls=closed(("mode", {"enum": ["SIMPLE", "MUTUAL"]}), credentialName=TEXT, sni=TEXT, subjectAltNames=TEXTS),
        ),
    ),
)
SPECS: dict[tuple[str, str], Any] = {
    ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy"): SECURITY_POLICY,
    ("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"): CLIENT_TRAFFIC_POLICY,
    ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"): closed(
        backendTLS=closed(clientCertificateRef=closed(("kind", TEXT), ("name", TEXT), namespace=TEXT))
    ),
    ("gateway.networking.k8s.io/v1", "BackendTLSPolicy"): closed(
        ("targetRefs", TARGETS), ("validation", closed(("hostname", TEXT), ("caCertificateRefs", TARGETS)))
    ),
    ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"): closed(
        ("from", listed(closed(("group", TEXT), ("kind", TEXT), ("namespace", TEXT)))),
        ("to", TARGETS),
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): closed(
        ("parentRefs", listed(closed(("name", TEXT), namespace=TEXT))),
        hostnames=TEXTS,
        rules=listed(
            closed(
                matches=listed(closed(path=closed(("type", TEXT), ("value", TEXT)))),
                backendRefs=BACKENDS,
            )
        ),
    ),
    ("security.istio.io/v1", "AuthorizationPolicy"): AUTHORIZATION_POLICY,
    ("networking.istio.io/v1", "DestinationRule"): DESTINATION_RULE,
    ("networking.istio.io/v1alpha3", "EnvoyFilter"): closed(
        ("workloadSelector", closed(("labels", LABELS))),
        (
            "configPatches",
            listed(
                closed(
                    ("applyTo", {"enum": ["HTTP_FILTER", "NETWORK_FILTER"]}),
                    ("match", closed(("context", {"const": "GATEWAY"}), ("listener", ANY))),
                    ("patch", closed(("operation", {"const": "MERGE"}), ("value", ANY))),
                )
            ),
        ),
    ),
}
PROVIDER = closed(
    ("service", TEXT),
    ("port", NUMBER),
    ("timeout", DURATION),
    ("failOpen", {"const": False}),
    ("statusOnError", {"const": "503"}),
)


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
    assert {"apiVersion", "kind", "metadata", "spec"} == manifest.keys()
    assert {"name", "namespace"} <= manifest["metadata"].keys() <= {"name", "namespace", "annotations"}
    schema = SPECS.get((manifest["apiVersion"], manifest["kind"]))
    if schema is None:
        assert [found for version in newest_releases(3) for found in mistakes(manifest, version)] == []
    else:
        assert contradictions(manifest["spec"], schema) == []


def test_istio_knows_the_provider_that_its_policy_names():
    (mesh,) = (document["meshConfig"] for document in documents("istio") if "meshConfig" in document)
    (provider,) = mesh["extensionProviders"]
    assert contradictions(provider["envoyExtAuthzGrpc"], PROVIDER) == []
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
    assert auth_config["apiVersion"] == "authorino.kuadrant.io/v1beta3"
    assert catalog["apis"][0]["hosts"] == auth_config["spec"]["hosts"]
    assert (
        catalog["key_managers"][0]["issuer"] == auth_config["spec"]["authentication"]["corporate"]["jwt"]["issuerUrl"]
    )
    names = [name.lower() for name in settings["upstream_headers"]]
    assert [*names, "x-jwt-assertion"] == list(auth_config["spec"]["response"]["success"]["headers"])
