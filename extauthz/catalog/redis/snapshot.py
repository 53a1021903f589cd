"""All that a catalog in Redis holds at one moment, for whoever changes or shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from extauthz.catalog.changes import Entity, Identity, Kind
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.store import Head, Stored, Untrusted
from extauthz.catalog.totals import totals
from extauthz.model.errors import Unavailable

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A whole catalog, and the head that vouches for it."""

    record: bytes = b""
    """The head as it stands in Redis; empty: there is no catalog."""
    head: Head | None = None
    stored: Mapping[Identity, Stored] = field(default_factory=dict)

    def entities(self) -> dict[Identity, Entity]:
        """The entities, key managers first."""
        order = {kind: number for number, kind in enumerate(Kind)}
        ordered = sorted(self.stored, key=lambda each: (order[each.kind], each.organization, each.id))
        return {identity: self.stored[identity].entity for identity in ordered}


Come = Callable[[int, int], None]
"""Told while a catalog is read: so many entities have been, of so many."""


async def snapshot(store: RedisCatalogStore, come: Come = lambda _done, _total: None) -> Snapshot:
    """The catalog as it is; read again if somebody changes it meanwhile.

    Raises:
        Untrusted: something in it is not our writers', or is missing.
        Unavailable: Redis does not answer, or is changed all the time.
    """
    record, position = await store.state()
    for _ in range(_ATTEMPTS):
        if position is None:
            return Snapshot()
        stored: dict[Identity, Stored] = {}
        total = sum(each.count for each in position.head.totals.values())
        for kind in Kind:
            async for page in store.pages(kind):
                stored.update((each.identity, each) for each in page)
                come(len(stored), total)
        if totals(stored.values()) == position.head.totals:
            return Snapshot(record=record, head=position.head, stored=stored)
        before = record
        record, position = await store.state()
        if record == before:
            raise Untrusted("entries are missing, or are older than the head says")
    raise Unavailable("catalog", "it is changed all the time; try again")
