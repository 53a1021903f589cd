"""The bootstrap of `deploy/envoy`, with one filter or another and an answer of Envoy's own."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.issuer import Issuer
from extauthz.cli.demo.envoy_bootstrap import Bootstrap, connection_manager

Change = Callable[[Bootstrap], None]
_EXT_AUTHZ = "envoy.filters.http.ext_authz"
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"


def with_ext_authz(bootstrap: Bootstrap) -> None:
    """As it is, but that Envoy answers itself."""
    virtual_host = connection_manager(bootstrap)["route_config"]["virtual_hosts"][0]
    answer = {"status": 200, "body": {"inline_string": "allowed"}}
    virtual_host["routes"] = [{"match": {"prefix": "/"}, "direct_response": answer}]
    # A line for each request would be most of what Envoy does here.
    connection_manager(bootstrap).pop("access_log")


def with_nothing(bootstrap: Bootstrap) -> None:
    """Without a filter that authorizes."""
    with_ext_authz(bootstrap)
    manager = connection_manager(bootstrap)
    manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] != _EXT_AUTHZ]
    clusters = bootstrap["static_resources"]["clusters"]
    clusters[:] = [cluster for cluster in clusters if cluster["name"] != "extauthz"]


def with_jwt_authn(issuer: Issuer, *, cached: int) -> Change:
    """With Envoy's own filter for JWTs; it remembers `cached` of them."""

    def change(bootstrap: Bootstrap) -> None:
        with_nothing(bootstrap)
        connection_manager(bootstrap)["http_filters"].insert(0, _jwt_authn(issuer, cached))

    return change


def _jwt_authn(issuer: Issuer, cached: int) -> dict[str, Any]:
    keys = json.dumps({"keys": [issuer.jwk_rs256]})
    provider: dict[str, Any] = {
        "issuer": issuer.key_manager["issuer"],
        "local_jwks": {"inline_string": keys},
        "forward": True,
    }
    if cached:
        provider["jwt_cache_config"] = {"jwt_cache_size": cached}
    return {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{_FILTERS}.jwt_authn.v3.JwtAuthentication",
            "providers": {"km": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "km"}}],
        },
    }
