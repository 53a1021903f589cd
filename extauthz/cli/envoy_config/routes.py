"""What a route may say about itself."""

from typing import Any

from extauthz.cli.envoy_config.commented import because
from extauthz.cli.envoy_config.ext_authz import FILTER
from extauthz.envoy.request import API_EXTENSION
from extauthz.envoy.route_metadata import NAMESPACE

_TYPE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
_UPSTREAM = "upstream"
_API = "petstore-v1"


def routes() -> list[Any]:
    """Examples, for a virtual host."""
    return [
        because(
            "A route may name its API; else host and path say which. The client has no part in it.",
            {
                "match": {"prefix": "/petstore"},
                "route": {"cluster": _UPSTREAM},
                "typed_per_filter_config": {
                    FILTER: {"@type": _TYPE, "check_settings": {"context_extensions": {API_EXTENSION: _API}}}
                },
            },
        ),
        because(
            "The same by metadata, which Envoy Gateway can write.",
            {
                "match": {"prefix": "/pets"},
                "route": {"cluster": _UPSTREAM},
                "metadata": {"filter_metadata": {NAMESPACE: {API_EXTENSION: _API}}},
            },
        ),
        because(
            "Without any check. An open resource in the catalog is the better way: it still takes away forged headers.",
            {
                "match": {"path": "/status"},
                "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
                "typed_per_filter_config": {FILTER: {"@type": _TYPE, "disabled": True}},
            },
        ),
        because(
            "Every other request: no check settings are needed.",
            {"match": {"prefix": "/"}, "route": {"cluster": _UPSTREAM}},
        ),
    ]
