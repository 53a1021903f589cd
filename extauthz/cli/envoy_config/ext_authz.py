"""The ext_authz filter."""

from typing import Any

from extauthz.cli.envoy_config.commented import because
from extauthz.cli.envoy_config.gateway_facts import GatewayFacts
from extauthz.envoy.route_metadata import NAMESPACE

CLUSTER = "extauthz"
FILTER = "envoy.filters.http.ext_authz"
FILTER_TYPE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"
_MARGIN_SECONDS = 0.5
"""For the way to extauthz and back, and for a busy event loop."""


def ext_authz(facts: GatewayFacts) -> dict[str, Any]:
    """The filter, for `http_filters`."""
    return {"name": FILTER, "typed_config": {"@type": FILTER_TYPE} | _service(facts) | _rules(facts) | _request(facts)}


def _service(facts: GatewayFacts) -> dict[str, Any]:
    seconds = facts.check_seconds + _MARGIN_SECONDS
    return {
        "transport_api_version": "V3",
        "grpc_service": {
            "envoy_grpc": {"cluster_name": CLUSTER},
            "timeout": because(
                f"Above limits.check_seconds ({facts.check_seconds:g} s), so that extauthz answers first, with a "
                "reason. Envoy's default of 200 ms is too short for an introspection.",
                f"{seconds:g}s",
            ),
        },
        "failure_mode_allow": because("No answer is a refusal: an outage must not open the APIs.", False),
        "status_on_error": because(
            "One that a client can tell from its own fault; the default of 403 makes clients log their users out.",
            {"code": "ServiceUnavailable"},
        ),
        "clear_route_cache": because(
            "The route is chosen before the check and stays: else a header of the answer could lead to another one, "
            "which was not checked.",
            False,
        ),
    }


def _rules(facts: GatewayFacts) -> dict[str, Any]:
    names = dict.fromkeys([*facts.credential_headers, *facts.own_headers])
    return {
        "validate_mutations": because(
            "An answer with an invalid header is an error, not a request without that header.", True
        ),
        "decoder_header_mutation_rules": because(
            "extauthz may touch these request headers and no others: the credentials that it takes away, and what is "
            "ours. An error, because a removal that is ignored would let a client's header through."
            + ("" if facts.catalog_known else " Add the `api_key` headers of your APIs."),
            {
                "disallow_all": True,
                "allow_expression": {"regex": "|".join(name.replace("-", "[-_]") for name in names)},
                "disallow_is_error": True,
            },
        ),
    }


def _request(facts: GatewayFacts) -> dict[str, Any]:
    patterns = [because(header.reason, {"exact": header.name}) for header in facts.headers]
    missing = "" if facts.catalog_known else " The catalog was not read: what APIs may need is assumed."
    sent: dict[str, Any] = {
        "allowed_headers": because(
            f"Only what extauthz reads with these settings: a Check costs time for each header.{missing}",
            {"patterns": patterns},
        ),
        "encode_raw_headers": because("Bytes as they came; text would have `!` for what is not UTF-8.", True),
    }
    if facts.peer_certificate:
        sent["include_peer_certificate"] = because(
            "For tokens that are bound to a client's certificate (RFC 8705) and for registered certificates: where the "
            "listener asks for none, nothing is sent.",
            True,
        )
    return sent | {
        "route_metadata_context_namespaces": because("A route's word about its API, see `routes`.", [NAMESPACE]),
        "emit_filter_state_stats": because(
            "For the access log: %FILTER_STATE(envoy.filters.http.ext_authz:FIELD:latency_us)%", True
        ),
        "stat_prefix": "extauthz",
    }
