"""`/catalog`: which catalog this process holds."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from starlette.datastructures import QueryParams

from extauthz.catalog.indexes import Indexes
from extauthz.model.api import Api
from extauthz.model.key_manager import KeyManager
from extauthz.operations.refused import RefusedError

DEFAULT_LIMIT = 100
MOST = 1000
"""Entries in one answer: each costs the event loop some time."""


class HeldCatalog(Protocol):
    """What is known about the catalog."""

    revision: int | None
    """None: a file has none, or nothing is held."""
    changed_at: float | None
    """Seconds since 1970; None: nothing is held."""

    @property
    def held(self) -> Indexes | None:
        """The tables; None before the first catalog."""
        ...


class CatalogDocument:
    """Revision, age and numbers; with `list=apis` or `list=key_managers` the entries by id, some at a time."""

    def __init__(self, catalog: HeldCatalog) -> None:
        self._catalog = catalog

    def __call__(self, query: QueryParams) -> Mapping[str, Any]:
        """See `documents.Document`."""
        indexes = self._catalog.held or Indexes()
        document: dict[str, Any] = {
            "revision": self._catalog.revision,
            "changed_at": self._catalog.changed_at,
            "entities": entity_counts(indexes)
            | {"subscriptions": sum(map(len, indexes.subscriptions.values()))},  # 30 ms for a million applications
        }
        wanted = query.get("list")
        if wanted is None:
            return document
        if wanted not in _LISTS:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"list: must be one of {', '.join(_LISTS)}")
        return document | _page(wanted, _LISTS[wanted](indexes), after=query.get("after", ""), limit=_limit(query))


def entity_counts(indexes: Indexes) -> dict[str, int]:
    """How many there are of each kind that is counted at no cost; of key managers the enabled ones."""
    return {
        "apis": len(indexes.apis),
        "key_managers": len(indexes.key_managers),
        "applications": len(indexes.applications),
        "api_keys": len(indexes.api_keys),
    }


def _limit(query: QueryParams) -> int:
    value = query.get("limit", str(DEFAULT_LIMIT))
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(MOST)) and 1 <= int(value) <= MOST):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"limit: must be a number from 1 to {MOST}")
    return int(value)


def _page(name: str, entries: Iterable[tuple[str, Api | KeyManager]], *, after: str, limit: int) -> dict[str, Any]:
    rest = (entry for entry in entries if entry[0] > after)
    found = heapq.nsmallest(limit + 1, rest, key=lambda entry: entry[0])
    following = found[limit - 1][0] if len(found) > limit else None
    return {name: [_described(entity) for _, entity in found[:limit]], "next": following}


def _apis(indexes: Indexes) -> Iterator[tuple[str, Api]]:
    return ((name, indexed.api) for name, indexed in indexes.apis.items())


def _key_managers(indexes: Indexes) -> Iterator[tuple[str, KeyManager]]:
    return ((f"{organization}/{name}", found) for (organization, name), found in indexes.key_managers.items())


_LISTS: Mapping[str, Callable[[Indexes], Iterable[tuple[str, Api | KeyManager]]]] = {
    "apis": _apis,
    "key_managers": _key_managers,
}
"""Each entity with what it is sorted by."""


def _described(entity: Api | KeyManager) -> dict[str, Any]:
    return _api(entity) if isinstance(entity, Api) else _key_manager(entity)


def _api(api: Api) -> dict[str, Any]:
    return {
        "id": api.id,
        "organization": api.organization,
        "name": api.name,
        "version": api.version,
        "context": api.context,
        "hosts": sorted(api.hosts),
        "state": api.state.value,
        "resources": len(api.resources),
    }


def _key_manager(key_manager: KeyManager) -> dict[str, Any]:
    return {"id": key_manager.id, "organization": key_manager.organization, "issuer": key_manager.issuer}
