"""The fields of custom resources that pages use, by hand, and what each list was compared with."""

import re
from collections.abc import Mapping
from typing import Any

from helm.kubernetes import contradictions, mistakes, newest_releases

Schema = dict[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
NUMBER: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
DURATION: Schema = {"type": "string", "pattern": "^([0-9]+(h|m|s|ms))+$"}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}


def closed(*required: tuple[str, Schema], **optional: Schema) -> Schema:
    """An object of just these keys; those before the keywords are `(name, schema)` and must be there."""
    fixed = dict(required)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fixed),
        "properties": fixed | optional,
    }


def listed(schema: Schema) -> Schema:
    """One or more of these."""
    return {"type": "array", "items": schema, "minItems": 1}


_OBJECTS = listed(closed(("group", {"type": "string"}), ("kind", TEXT), ("name", TEXT)))
_TARGETS = listed(closed(("group", {"type": "string"}), ("kind", TEXT), ("name", TEXT), sectionName=TEXT))
_BACKENDS = listed(closed(("name", TEXT), ("port", NUMBER), namespace=TEXT))
_PATTERNS = listed(
    closed(("selector", TEXT), ("operator", {"enum": ["eq", "neq", "incl", "excl", "matches"]}), value=TEXT)
)
_SELECTOR = closed(("matchLabels", LABELS))
_CIRCUIT_BREAKER = closed(
    maxConnections=NUMBER, maxPendingRequests=NUMBER, maxParallelRequests=NUMBER, maxParallelRetries=NUMBER
)
_SECURITY_POLICY = closed(
    ("targetRefs", _TARGETS),
    (
        "extAuth",
        closed(
            ("grpc", closed(("backendRefs", _BACKENDS), backendSettings=closed(circuitBreaker=_CIRCUIT_BREAKER))),
            failOpen={"const": False},
            statusOnError={"const": 503},
            timeout=DURATION,
            headersToExtAuth=TEXTS,
            includeRouteMetadata=FLAG,
            contextExtensions=listed(closed(("name", TEXT), ("type", {"enum": ["Value", "ValueRef"]}), value=TEXT)),
        ),
    ),
)
_CLIENT_TRAFFIC_POLICY = closed(
    ("targetRefs", _TARGETS),
    path=closed(
        escapedSlashesAction={"enum": ["KeepUnchanged", "RejectRequest", "UnescapeAndForward", "UnescapeAndRedirect"]},
        disableMergeSlashes=FLAG,
    ),
    headers=closed(
        withUnderscoresAction={"enum": ["Allow", "RejectRequest", "DropHeader"]},
        earlyRequestHeaders=closed(remove=TEXTS),
        xForwardedClientCert=closed(
            mode={"enum": ["Sanitize", "ForwardOnly", "AppendForward", "SanitizeSet", "AlwaysForwardOnly"]},
            certDetailsToAdd=listed({"enum": ["Subject", "Cert", "Chain", "DNS", "URI"]}),
        ),
    ),
)
_HTTP_ROUTE = closed(
    ("parentRefs", listed(closed(("name", TEXT), namespace=TEXT))),
    hostnames=TEXTS,
    rules=listed(
        closed(
            matches=listed(closed(path=closed(("type", {"enum": ["Exact", "PathPrefix"]}), ("value", TEXT)))),
            backendRefs=_BACKENDS,
        )
    ),
)
_AUTHORIZATION_POLICY = closed(
    ("action", {"enum": ["CUSTOM", "ALLOW"]}),
    (
        "rules",
        listed(
            closed(
                **{"from": listed(closed(("source", closed(principals=TEXTS))))},
                to=listed(closed(("operation", closed(ports=TEXTS)))),
            )
        ),
    ),
    selector=_SELECTOR,
    provider=closed(("name", TEXT)),
)
_DESTINATION_RULE = closed(
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
_FILTER = closed(("name", TEXT), subFilter=closed(("name", TEXT)))
_ENVOY_FILTER = closed(
    ("workloadSelector", closed(("labels", LABELS))),
    (
        "configPatches",
        listed(
            closed(
                ("applyTo", {"enum": ["HTTP_FILTER", "NETWORK_FILTER"]}),
                (
                    "match",
                    closed(
                        ("context", {"const": "GATEWAY"}),
                        ("listener", closed(("filterChain", closed(("filter", _FILTER))))),
                    ),
                ),
                # What is merged is Envoy's: test_recipes.py compares it with a bootstrap that Envoy takes.
                ("patch", closed(("operation", {"const": "MERGE"}), ("value", ANY))),
            )
        ),
    ),
)
_AUTHENTICATION = closed(
    jwt=closed(issuerUrl=TEXT, ttl=NUMBER),
    oauth2Introspection=closed(("endpoint", TEXT), ("credentialsRef", closed(("name", TEXT)))),
    apiKey=closed(("selector", _SELECTOR)),
    cache=closed(("key", closed(selector=TEXT)), ttl=NUMBER),
    credentials=closed(customHeader=closed(("name", TEXT))),
)
_WRISTBAND = closed(
    ("issuer", TEXT),
    (
        "signingKeyRefs",
        listed(closed(("name", TEXT), ("algorithm", {"enum": ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"]}))),
    ),
)
_AUTH_CONFIG = closed(
    ("hosts", TEXTS),
    authentication={"type": "object", "additionalProperties": _AUTHENTICATION},
    authorization={
        "type": "object",
        "additionalProperties": closed(when=_PATTERNS, patternMatching=closed(("patterns", _PATTERNS))),
    },
    response=closed(
        success=closed(
            headers={
                "type": "object",
                "additionalProperties": closed(plain=closed(selector=TEXT), wristband=_WRISTBAND),
            }
        )
    ),
)

SPECS: Mapping[tuple[str, str], Schema] = {
    ("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy"): _SECURITY_POLICY,
    ("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy"): _CLIENT_TRAFFIC_POLICY,
    ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"): closed(
        backendTLS=closed(clientCertificateRef=closed(("kind", TEXT), ("name", TEXT), namespace=TEXT))
    ),
    ("gateway.networking.k8s.io/v1", "BackendTLSPolicy"): closed(
        ("targetRefs", _TARGETS), ("validation", closed(("hostname", TEXT), ("caCertificateRefs", _OBJECTS)))
    ),
    ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"): closed(
        ("from", listed(closed(("group", TEXT), ("kind", TEXT), ("namespace", TEXT)))),
        ("to", _OBJECTS),
    ),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): _HTTP_ROUTE,
    ("security.istio.io/v1", "AuthorizationPolicy"): _AUTHORIZATION_POLICY,
    ("networking.istio.io/v1", "DestinationRule"): _DESTINATION_RULE,
    ("networking.istio.io/v1alpha3", "EnvoyFilter"): _ENVOY_FILTER,
    ("authorino.kuadrant.io/v1beta3", "AuthConfig"): _AUTH_CONFIG,
}
"""By `apiVersion` and `kind`: what may stand in `spec`. Not all that is published: what pages use of it."""

MESH: Schema = closed(
    (
        "meshConfig",
        closed(
            (
                "extensionProviders",
                listed(
                    closed(
                        ("name", TEXT),
                        (
                            "envoyExtAuthzGrpc",
                            closed(
                                ("service", TEXT),
                                ("port", NUMBER),
                                ("timeout", DURATION),
                                ("failOpen", {"const": False}),
                                ("statusOnError", {"const": "503"}),
                            ),
                        ),
                    )
                ),
            ),
            pathNormalization=closed(
                ("normalization", {"enum": ["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]})
            ),
        ),
    )
)
"""Istio's settings of the mesh, which are no resource."""

COMPARED_WITH: Mapping[str, str] = {
    "security.istio.io": "the CRDs of Istio 1.24.2 and 1.31.0",
    "networking.istio.io": "the CRDs of Istio 1.24.2 and 1.31.0",
    "meshConfig": "istio/api 0040fb30e9c0",
    "gateway.envoyproxy.io": "envoyproxy/gateway 00597d42a00f, before 1.9.0",
    "gateway.networking.k8s.io": "the Gateway API (09a07be51feb and v1.6.0-rc.1)",
    "authorino.kuadrant.io": "Kuadrant/authorino 01a81eb499e8",
}
"""By group: what the lists above were last compared with, in November 2026; pages say the same.

Istio's CRDs as cloudcoil-models-istio has them; `mesh/v1alpha1/config.proto`; Envoy Gateway's reference of v1alpha1;
the CRDs of BackendTLSPolicy and ReferenceGrant, and for HTTPRoute the Go types of which @kubernetes-models/gateway-api
2.0.0 is made; `api/v1beta3/auth_config_types.go`.
"""


def unpublished(manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with a whole object.

    Raises:
        UnknownKind: neither Kubernetes nor `SPECS` has it.
    """
    schema = SPECS.get((manifest["apiVersion"], manifest["kind"]))
    if schema is None:
        return [found for version in newest_releases(3) for found in mistakes(manifest, version)]
    whole = closed(
        ("apiVersion", TEXT),
        ("kind", TEXT),
        ("metadata", closed(("name", TEXT), ("namespace", TEXT), annotations=LABELS)),
        ("spec", schema),
    )
    return contradictions(manifest, whole)


def unpublished_part(manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object of which a page shows a part: what is there must be right."""
    missing = re.compile(r"(is a required property|non-empty)")
    return [found for found in unpublished(manifest) if not missing.search(found)]
