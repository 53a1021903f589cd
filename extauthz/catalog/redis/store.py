"""The catalog in Redis, read (see `catalog.store.CatalogStore`)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from extauthz.catalog.changes import Kind
from extauthz.catalog.redis.entry import Entries
from extauthz.catalog.redis.names import Names
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.records import Records
from extauthz.catalog.redis.scan import Server, odd_answer, scanned, slices
from extauthz.catalog.redis.scripts import POSITION
from extauthz.catalog.store import Missed, Position, Stored, StoredChange, Transaction, Untrusted

_NEWS = 32
"""Transactions at one time; each is bounded by its writer."""
_STEP_ENTRIES = 16
_STEP_BYTES = 2 * 1024
"""Read without letting a Check in between: some tenths of a millisecond."""


class RedisCatalogStore:
    """`CatalogStore` in a Redis or Valkey. What is read was proven by `keys`."""

    def __init__(self, server: Server, keys: CatalogKeys, *, prefix: str, timeout_seconds: float) -> None:
        """`timeout_seconds` is how long an answer may take that has not to be waited for."""
        self.server = server
        self.names = Names(prefix)
        self.entries = Entries(keys)
        self.records = Records(keys, self.entries)
        self._timeout_seconds = timeout_seconds

    async def position(self) -> Position | None:
        """See `CatalogStore`."""
        return (await self.state())[1]

    async def state(self) -> tuple[bytes, Position | None]:
        """The head, as it stands there (empty: there is none), and what it says.

        Raises:
            Untrusted: as `position`.
        """
        match await self.server.execute(b"EVAL", POSITION.encode(), 2, self.names.head, self.names.news):
            case [None, bytes()]:
                return b"", None
            case [bytes() as record, bytes() as news]:
                return record, Position(head=self.records.head(record), news=news)
        raise odd_answer()

    async def pages(self, kind: Kind) -> AsyncGenerator[Sequence[Stored]]:
        """See `CatalogStore`."""
        stored = self.entries.stored
        async with aclosing(scanned(self.server, self.names.entities(kind))) as found:
            async for pairs in found:
                for part in slices(pairs, entries=_STEP_ENTRIES, octets=_STEP_BYTES):
                    yield [stored(kind, field, value) for field, value in part]

    async def news(self, after: Position, wait_seconds: float) -> Sequence[Transaction]:
        """See `CatalogStore`. XREAD that blocks: news arrive when they are written, not when somebody looks.

        What came before something that cannot be used is told first, and that at the next call.
        """
        wait = max(1, int(wait_seconds * 1000))
        command = (b"XREAD", b"COUNT", _NEWS, b"BLOCK", wait, b"STREAMS", self.names.news, after.news)
        match await self.server.execute(*command, timeout_seconds=wait_seconds + self._timeout_seconds):
            case None:
                return ()
            case [[bytes(), [*items]]]:
                return await self._transactions(after, items)
        raise odd_answer()

    async def close(self) -> None:
        """Close the connections; the store is of no use afterwards."""
        await self.server.close()

    async def _transactions(self, after: Position, items: Sequence[Any]) -> Sequence[Transaction]:
        told: list[Transaction] = []
        for item in items:
            try:
                told.append(await self._transaction(told[-1].position if told else after, item))
            except (Untrusted, Missed):
                if not told:
                    raise
                break
            await asyncio.sleep(0)  # one alone may be a megabyte
        return told

    async def _transaction(self, held: Position, item: Any) -> Transaction:
        match item:
            case [bytes() as news, [b"transaction", bytes() as record]]:
                head, changes = self.records.transaction(record)
            case [bytes(), _]:
                raise Untrusted("a stranger's entry is in the stream of changes")
            case _:
                raise odd_answer()
        if head.epoch == held.head.epoch and head.revision <= held.head.revision:
            return Transaction(position=Position(head=held.head, news=news), changes=())  # known already
        if head.epoch != held.head.epoch or head.revision != held.head.revision + 1:
            raise Missed("catalog", "changes are no longer told one by one")
        read: list[StoredChange] | None = None if changes is None else []
        for change in changes or ():
            if read is not None:
                read.append(change)
                if len(read) % _STEP_ENTRIES == 0:
                    await asyncio.sleep(0)
        return Transaction(position=Position(head=head, news=news), changes=read)
