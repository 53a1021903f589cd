"""What a YAML block is a part of, by its keys or by its marker, and how each kind is validated."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml
from deploy.custom_resources import MESH, TEXT, TEXTS, closed, listed, unpublished_part
from docs.envoy_parts import is_envoy, read_as, read_part
from docs.pages import ROOT, Block
from docs.whole import whole_catalog, whole_settings
from support.catalogs import api, key_manager, text_of

from extauthz.catalog.api_entities import ApiDocument, ResourceDocument
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.key_manager_entities import KeyManagerDocument
from extauthz.cli.check.expectations import ExpectationsDocument
from extauthz.document.strict import Strict, loads
from extauthz.resident.settings import ResidentSettings
from extauthz.settings.process import Settings
from extauthz.settings.redis import RedisSettings

_CHART = ROOT / "deploy/helm/extauthz"
_MESH = frozenset({"meshConfig", "extensionProviders"})
_TRAEFIK = frozenset({"http", "entryPoints", "providers"})


class UnknownKindError(AssertionError):
    """Nothing says what a block is a part of."""


def validate(block: Block) -> None:
    """Validates a block as what it is a part of.

    Raises:
        UnknownKindError: that is not known.
        Exception: it is wrong.
    """
    documents = list(yaml.safe_load_all(block.text))
    kind, _, rest = block.marker.partition(" ")
    if kind == "other":
        assert rest.startswith("because "), f"{block}: say why: `<!-- block: other because ... -->`"
        return
    for document in documents:
        assert document is not None, f"{block}: an empty document"
        if kind == "envoy" and rest:
            read_as(document, rest)
        elif kind:
            _KINDS[kind](document, str(block))
        else:
            _KINDS[kind_of(document, block)](document, str(block))


def kind_of(document: Any, block: Block) -> str:
    """The kind by the keys.

    Raises:
        UnknownKindError: no kind has such keys.
    """
    for kind, fits in _SIGNS.items():
        if fits(document):
            return kind
    raise UnknownKindError(
        f"{block}: it cannot be told what this YAML is a part of. Put `<!-- block: KIND -->` into the line before it, "
        f"KIND being one of {', '.join(_KINDS)}, `envoy full.name.of.the.Message`, or `other because REASON`."
    )


def _has_only(known: Iterable[str]) -> Callable[[Any], bool]:
    keys = frozenset(known)
    return lambda document: isinstance(document, dict) and bool(document) and document.keys() <= keys


def _list_of(known: Iterable[str]) -> Callable[[Any], bool]:
    fits = _has_only(known)
    return lambda document: isinstance(document, list) and bool(document) and all(map(fits, document))


def _is_catalog(document: Any) -> bool:
    lists = ("apis", "key_managers", "applications", "subscriptions", "api_keys")
    if not _has_only(CatalogDocument.model_fields)(document):
        return False
    return all(isinstance(document[key], list) for key in lists if key in document)


@cache
def _values_schema() -> Any:
    return json.loads((_CHART / "values.schema.json").read_text(encoding="utf-8"))


_SIGNS: dict[str, Callable[[Any], bool]] = {
    "kubernetes": lambda document: isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys(),
    "expectations": _has_only({"cases"}),
    "catalog": _is_catalog,
    "resident": _has_only(ResidentSettings.model_fields),
    "settings": _has_only(Settings.model_fields),
    "redis": _has_only(RedisSettings.model_fields),
    "key-manager": _has_only(KeyManagerDocument.model_fields),
    "apis": _list_of(ApiDocument.model_fields),
    "resources": _list_of(ResourceDocument.model_fields),
    "mesh": _has_only(_MESH),
    "traefik": _has_only(_TRAEFIK),
    "envoy": is_envoy,
    "values": _has_only(yaml.safe_load((_CHART / "values.yaml").read_text(encoding="utf-8"))),
}
"""In this order: what is ours comes before what only looks like it."""


def _strict(document: Any, kind: type[Strict], place: str) -> None:
    loads(text_of(document), kind, place)


def _catalog(document: Any, place: str) -> None:
    _strict(whole_catalog(document), CatalogDocument, place)


def _values(document: Any, _place: str) -> None:
    jsonschema.validate(document, _values_schema())


def _redis(document: Any, place: str) -> None:
    somewhere = {} if {"url", "sentinel", "cluster"} & document.keys() else {"url": "rediss://redis.example.com"}
    _strict(whole_settings({"cache": {"redis": somewhere | document}}), Settings, place)


def _kubernetes(document: Any, place: str) -> None:
    assert unpublished_part(document) == [], place


def _mapped(schema: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema, "minProperties": 1}


_FORWARD_AUTH = closed(("address", TEXT), trustForwardHeader={"const": False}, authResponseHeaders=TEXTS)
_TRAEFIK_HTTP = closed(
    middlewares=_mapped(closed(("forwardAuth", _FORWARD_AUTH))),
    routers=_mapped(closed(("rule", TEXT), ("service", TEXT), middlewares=TEXTS)),
    services=_mapped(closed(("loadBalancer", closed(("servers", listed(closed(("url", TEXT)))))))),
)
"""The fields of Traefik's dynamic configuration that pages use, by hand."""


_KINDS: dict[str, Callable[[Any, str], None]] = {
    "kubernetes": _kubernetes,
    "expectations": lambda document, place: _strict(document, ExpectationsDocument, place),
    "catalog": _catalog,
    "resident": lambda document, place: _strict(document, ResidentSettings, place),
    "settings": lambda document, place: _strict(whole_settings(document), Settings, place),
    "redis": _redis,
    "key-manager": lambda document, place: _catalog({"key_managers": [key_manager(**document)]}, place),
    "apis": lambda document, place: _catalog({"apis": document}, place),
    "resources": lambda document, place: _catalog({"apis": [api(resources=document)]}, place),
    "mesh": lambda document, _place: jsonschema.validate(document, MESH),
    "traefik": lambda document, _place: jsonschema.validate(document, closed(("http", _TRAEFIK_HTTP))),
    "envoy": lambda document, _place: read_part(document),
    "values": _values,
}
