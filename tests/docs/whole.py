"""A part of a file, as pages show it, made a whole file that the strict loaders take."""

from collections.abc import Iterator
from typing import Any

from support.catalogs import api, application, key_manager

_SECRETS = frozenset({"secret", "password", "token", "key", "nonce_secret"})
"""The settings whose values are names of secrets."""


def whole_settings(part: dict[str, Any]) -> dict[str, Any]:
    """The settings with what they need beside: a catalog, and every secret that they name."""
    settings = {"catalog": {"file": "catalog.yaml"}} | part
    if "redis" in settings["catalog"]:
        settings = settings | {"catalog": {"secret": ["catalog-secret"]} | settings["catalog"]}
    if "redis" in settings.get("cache", {}):
        settings = settings | {"cache": {"backend": "redis", "secret": ["cache-secret"]} | settings["cache"]}
    named = {name: {"env": "A_SECRET"} for name in _named_secrets(settings)}
    return settings | {"secrets": named | settings.get("secrets", {})}


def _named_secrets(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for inner, each in value.items():
            if inner != "secrets":
                yield from _named_secrets(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _named_secrets(each, key)
    elif isinstance(value, str) and key in _SECRETS:
        yield value


def whole_catalog(part: dict[str, Any]) -> dict[str, Any]:
    """The catalog with what it refers to: key managers, APIs and applications by the ids that it names."""
    apis = part.get("apis", [])
    applications = part.get("applications", [])
    subscriptions = part.get("subscriptions", [])
    rules = part.get("opaque_tokens", {}).get("rules", [])
    asked = {rule["key_manager"] for rule in rules}
    issuers = {name for each in apis for name in each.get("key_managers", ())}
    issuers |= {key["key_manager"] for each in applications for key in each.get("keys", ())}
    wanted_applications = [each["application"] for each in (*subscriptions, *part.get("api_keys", ()))]
    return part | {
        "key_managers": [
            *part.get("key_managers", []),
            *(_issuer(name, asked) for name in sorted((issuers | asked) - _ids(part.get("key_managers", [])))),
        ],
        "apis": [*apis, *_others(api, apis, [each["api"] for each in subscriptions])] or [api()],
        "applications": [*applications, *_others(_consumer, applications, wanted_applications)],
    }


def _ids(entities: list[dict[str, Any]]) -> set[str]:
    return {entity["id"] for entity in entities}


def _issuer(name: str, asked: set[str]) -> dict[str, Any]:
    introspection = {
        "endpoint": f"https://{name}.example.com/introspect",
        "authentication": {"basic": {"username": "gateway", "password": "gateway-password"}},
    }
    issuer = f"https://{name}.example.com"
    return key_manager(id=name, issuer=issuer) | ({"introspection": introspection} if name in asked else {})


def _consumer(**settings: Any) -> dict[str, Any]:
    return application(keys=[]) | {key: value for key, value in settings.items() if key != "context"}


def _others(make: Any, entities: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    missing = sorted(set(names) - _ids(entities))
    return [make(id=name, context=f"/{name}") for name in missing]
