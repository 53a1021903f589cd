"""`python -m benchmarks.catalog.looked_up URL`: what a look-up and a change cost in the large catalog, as JSON."""

import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from time import perf_counter

from benchmarks.catalog.generated import (
    LARGE,
    Size,
    api,
    application,
    entities,
    path,
    subscribed,
    subscription,
)
from benchmarks.catalog.redis_catalog import catalog_store
from benchmarks.figure import Figure, GoalOn
from extauthz.catalog.building import built
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.changes import Entity, identity_of
from extauthz.catalog.garbage import without_full_collections
from extauthz.catalog.loading import loaded
from extauthz.catalog.redis.records import Records, change_message
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.resource_match import resource_match
from extauthz.catalog.store import Head
from extauthz.envoy.request import RequestHeaders
from extauthz.model.check import Principal, RequestContext
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm

_SMALLER = 1000
_STEP = 4_993
"""A prime, so that callers lie all over the catalog."""
_CALLS = 20_000
_ROUNDS = 5
_CHANGES = 300
_Call = tuple[RequestContext, Principal]


async def main(url: str) -> None:
    """Loads the large catalog as a replica does, and makes one that is a thousand times smaller."""
    store = catalog_store(url)
    with without_full_collections():
        found = await loaded(store, None)
        key_manager = found.indexes.key_managers["default", "km"]
        small = Catalog()
        size = LARGE.part(_SMALLER)
        small.replace(await built(entities(size, key_manager)))
        large = Catalog()
        large.replace(found.indexes)
        calls = [_calls(LARGE, key_manager), _calls(size, key_manager)]
    rounds = [[_round(*pair) for pair in zip((large, small), calls, strict=True)] for _ in range(_ROUNDS)]
    value, floor = (statistics.median(times) for times in zip(*rounds, strict=True))
    slowest, change = _change(large, store, found.position.head, key_manager)
    await store.close()
    print(json.dumps([asdict(figure) for figure in _figures(value, floor, slowest, change)]))


def _figures(value: float, floor: float, slowest: str, change: float) -> list[Figure]:
    what = "match + access, median of random callers"
    small = f"floor: a catalog 1/{_SMALLER}"
    return [
        Figure(name=f"{what}; {small}", value=value, unit="us", floor=floor, goal=15),
        Figure(name=f"the same; {small}", value=value, unit="us", floor=floor, goal=2, goal_on=GoalOn.RATIO),
        Figure(name=f"a change, proven, read and applied; the slowest: {slowest}", value=change, unit="ms", goal=1),
    ]


def _calls(size: Size, key_manager: KeyManager) -> list[_Call]:
    """Of as many callers as there are in a small catalog, or of callers all over a large one."""
    return [_call(number * _STEP, size, key_manager) for number in range(_CALLS)]


def _call(number: int, size: Size, key_manager: KeyManager) -> _Call:
    caller, place = number % size.applications, number % size.resources
    called = subscribed(caller, number % 10, size)
    target = f"/area{called % 100}/api{called}/v1{path(called, place)}?limit=20"
    request = RequestContext(
        method="GET", host=f"host{called % 50}.example.com", path=target, headers=RequestHeaders({})
    )
    facts = TokenFacts(form=TokenForm.JWT, believe_until=1, client_id=f"client-{caller}")
    return request, Principal(key_manager=key_manager, facts=facts, token_key=b"key")


def _round(catalog: Catalog, calls: Sequence[_Call]) -> float:
    """Microseconds of the median call."""
    times = []
    for request, principal in calls:
        start = perf_counter()
        access = catalog.access(principal, resource_match(request, catalog.locate(request)))
        times.append(perf_counter() - start)
        if access.subscription is None:
            raise RuntimeError("a subscription was not found")
    return statistics.median(times) * 1e6


def _change(catalog: Catalog, store: RedisCatalogStore, head: Head, key_manager: KeyManager) -> tuple[str, float]:
    """The slowest kind, and milliseconds of its median change: from the stream's bytes to the tables."""
    kinds: dict[str, list[Entity]] = {
        "an API": [api(number * 7, LARGE) for number in range(_CHANGES)],
        "an application": [application(number * 7, key_manager) for number in range(_CHANGES)],
        "a subscription": [subscription(number * 7, number) for number in range(_CHANGES)],
    }
    medians = {name: _median_change(catalog, store, head, changed) for name, changed in kinds.items()}
    slowest = max(medians, key=lambda name: medians[name])
    return slowest, medians[slowest]


def _median_change(catalog: Catalog, store: RedisCatalogStore, head: Head, changed: Sequence[Entity]) -> float:
    times = []
    for entity in changed:
        record = _record(store.records, store, head, entity)
        start = perf_counter()
        _, told = store.records.transaction(record)
        catalog.apply([each.change for each in told or ()])
        times.append(perf_counter() - start)
    return statistics.median(times) * 1000


def _record(records: Records, store: RedisCatalogStore, head: Head, entity: Entity) -> bytes:
    identity = identity_of(entity)
    entry = store.entries.written(identity, entity, head.revision + 1)
    return records.written_transaction(head, [change_message(identity, entry, b"\1" * 32)])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
