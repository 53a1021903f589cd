"""A whole catalog from its store, while it goes on changing."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from extauthz.catalog.building import take_apart
from extauthz.catalog.changes import Identity, Kind
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.precedence import NO_CATALOG, ensure_succeeds
from extauthz.catalog.slices import Slices
from extauthz.catalog.store import CatalogStore, Head, Missed, Position, Transaction, Untrusted
from extauthz.catalog.tally import Tally

_NEWS_SECONDS = 1.0
"""They are there: the head says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Tables, and the state that they are those of."""

    indexes: Indexes
    position: Position


async def loaded(store: CatalogStore, held: Head | None) -> Loaded:
    """Everything in the store, proven to be what its head says; it takes the place of `held`.

    Raises:
        Untrusted: something in the store is not its writers' word, or is older than what is held.
        Unavailable: the store does not answer, or changes faster than it can be read.
    """
    try:
        return await _Load(store, held).run()
    except _IncompleteError:  # what was written meanwhile may have been misread; what is missing is missing again
        try:
            return await _Load(store, held).run()
        except _IncompleteError as still:
            raise Untrusted("entries are missing in redis, or older than the head says") from still


class _IncompleteError(Exception):
    """What was read is not what the head says."""


class _Load:
    """One attempt: first all pages, then the news since before them, until both are what a head says."""

    def __init__(self, store: CatalogStore, held: Head | None) -> None:
        self._store = store
        self._held = held
        self._indexes = Indexes()
        self._tallies = {kind: Tally() for kind in Kind}
        self._slices = Slices()

    async def run(self) -> Loaded:
        """Frees what was read when it is of no use."""
        try:
            position = await self._read()
        except Exception:
            await take_apart(self._indexes)
            raise
        finally:
            for tally in self._tallies.values():
                await tally.take_apart(self._slices)
        return Loaded(indexes=self._indexes, position=position)

    async def _read(self) -> Position:
        # Its place in the stream first: whatever is written from now on is news.
        start = await self._position()
        for kind in Kind:
            await self._read_pages(kind)
        # After the pages: no page had anything that is newer.
        end = await self._position()
        if end.head.epoch != start.head.epoch:
            raise _IncompleteError
        position = await self._read_news(start, end)
        if {kind: tally.total for kind, tally in self._tallies.items()} != position.head.totals:
            raise _IncompleteError
        return position

    async def _position(self) -> Position:
        position = await self._store.position()
        if position is None:
            raise Untrusted(NO_CATALOG)
        ensure_succeeds(position.head, self._held)
        return position

    async def _read_pages(self, kind: Kind) -> None:
        taken, tally = 0, self._tallies[kind]
        async with aclosing(self._store.pages(kind)) as pages:
            async for page in pages:
                for stored in page:
                    if tally.put(stored.name, stored.revision, stored.tag):
                        self._indexes.put(stored.entity)
                        taken += 1
                    if self._slices.over:
                        await self._slices.rest()
        if taken != tally.total.count:
            # One came in two versions. The older may have been put where another entity is by now, and taken it along.
            raise _IncompleteError

    async def _read_news(self, start: Position, end: Position) -> Position:
        position, touched = start, list[Identity]()
        while position.head.revision < end.head.revision:
            before = position.head
            news = await self._store.news(position, _NEWS_SECONDS)
            position = await self._apply(position, news, touched)
            if position.head == before:  # whoever tells old ones again and again would have us listen for ever
                raise _IncompleteError
        for identity in touched:
            self._indexes.settle(identity)
            if self._slices.over:
                await self._slices.rest()
        return end if position is start else position

    async def _apply(self, position: Position, news: Sequence[Transaction], touched: list[Identity]) -> Position:
        if not news:
            raise _IncompleteError
        for transaction in news:
            head = transaction.position.head
            if head == position.head:  # an old one that is told again
                position = transaction.position
                continue
            if (head.epoch, head.revision) != (position.head.epoch, position.head.revision + 1):
                raise _IncompleteError
            if transaction.changes is None:
                raise Missed("catalog", "it changed as a whole while it was read")
            for told in transaction.changes:
                identity = told.change.identity
                if self._tallies[identity.kind].put(identity.name, head.revision, told.tag):
                    self._indexes.apply(told.change)
                touched.append(identity)
                if self._slices.over:
                    await self._slices.rest()
            position = transaction.position
        return position
