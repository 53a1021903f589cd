"""All that a catalog in Redis holds at one moment, for whoever changes or shows it."""

from collections.abc import Mapping
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
        found = {identity: self.stored[identity].change.entity for identity in ordered}
        return {identity: entity for identity, entity in found.items() if entity is not None}


async def snapshot(store: RedisCatalogStore) -> Snapshot:
    """The catalog as it is; read again if somebody changes it meanwhile.

    Raises:
        Untrusted: something in it is not our writers', or is missing.
        Unavailable: Redis does not answer, or is changed all the time.
    """
    record, position = await store.state()
    for _ in range(_ATTEMPTS):
        if position is None:
            return Snapshot()
        stored = {each.change.identity: each for kind in Kind async for page in store.pages(kind) for each in page}
        if totals(stored.values()) == position.head.totals:
            return Snapshot(record=record, head=position.head, stored=stored)
        before = record
        record, position = await store.state()
        if record == before:
            raise Untrusted("entries are missing, or are older than the head says")
    raise Unavailable("catalog", "it is changed all the time; try again")
