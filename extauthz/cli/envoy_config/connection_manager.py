"""What the HTTP connection manager must do before the filter, or what is checked is not what the upstream gets."""

import re
from typing import Any

from extauthz.cli.envoy_config.commented import because
from extauthz.cli.envoy_config.gateway_facts import GatewayFacts

_TYPE = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"


def connection_manager(facts: GatewayFacts) -> dict[str, Any]:
    """Fields of `HttpConnectionManager`."""
    return {
        "normalize_path": because(
            "extauthz and the upstream must read the same path: one spelling of it, and no guess at an encoded slash.",
            True,
        ),
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "early_header_mutation_extensions": because(
            "Headers that are ours alone: a client's copy is removed before the route is chosen, so also where "
            "ext_authz is disabled. Any separator counts: many upstreams read `X_JWT_Assertion` as the same name.",
            [
                {
                    "name": "envoy.http.early_header_mutation.header_mutation",
                    "typed_config": {"@type": _TYPE, "mutations": [_removal(name) for name in facts.own_headers]},
                }
            ],
        ),
        "common_http_protocol_options": because(
            "The same confusion for every other name. Dropped, not refused: who lost a header can do less, never more.",
            {"headers_with_underscores_action": "DROP_HEADER"},
        ),
    }


def layered_runtime() -> dict[str, Any]:
    """Of the bootstrap: what the regular expressions here and in the filter need."""
    limits = because(
        "Up to 1.38, Envoy refuses an expression of more than 100 steps.", {"re2.max_program_size.error_level": 1000}
    )
    return {"layers": [{"name": "limits", "static_layer": limits}]}


def _removal(name: str) -> dict[str, Any]:
    pattern = "[^a-z0-9]".join(map(re.escape, name.split("-")))
    return {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": pattern}}}}
