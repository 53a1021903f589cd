"""Changes of the catalog in Redis: all of a transaction at once, or nothing."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from extauthz.catalog.changes import Change, Identity, Kind
from extauthz.catalog.redis.entry import field_of
from extauthz.catalog.redis.records import change_message
from extauthz.catalog.redis.scan import COMPONENT, Pair, scanned, slices
from extauthz.catalog.redis.scripts import CHANGE, REPLACE, STAGE
from extauthz.catalog.redis.snapshot import Snapshot
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.store import Head, StoredChange, Total
from extauthz.catalog.totals import totals_after
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.v1 import catalog_pb2 as pb

_EPOCH_BYTES = 16
_KINDS = tuple(Kind)
_TOLD_CHANGES = 5000
_TOLD_BYTES = 1024 * 1024
"""Of one transaction that is told change by change: Redis answers nobody else while it is written."""
_TRANSACTIONS_KEPT = 16
"""At least, however many changes each of them has."""
_BATCH_ENTRIES = 500
_BATCH_BYTES = 256 * 1024
_STAGED_SECONDS = 600
"""What a writer that died has left is gone then."""
_REPLACED, _RACED = 1, 0

_Entry = tuple[Identity, pb.CatalogEntry | None]
_Fields = Mapping[bytes, bytes | None]
"""The new value of each field; None: it goes."""


class RedisCatalogWriter:
    """Writes by compare-and-set on the head, in a script; so each transaction begins where the one before it ended.

    A transaction that would hold Redis up for long is written beside what is there, and then put in its place.
    """

    def __init__(self, store: RedisCatalogStore, *, kept_changes: int, clock: Clock) -> None:
        self._store = store
        self._kept_changes = kept_changes
        self._clock = clock

    async def write(self, before: Snapshot, changes: Sequence[Change], *, empty: bool) -> Head | None:
        """The head after some changes of a snapshot; None: somebody else wrote since then, and nothing is changed.

        Tombstones are for what is there. `empty`: it is meant that there is no API.

        Raises:
            Unavailable: no answer; the changes may have been written.
            ValueError: an entity holds what cannot be written.
        """
        revision = before.head.revision + 1 if before.head else 1
        entries: list[_Entry] = [(change.identity, self._entry(change, revision)) for change in changes]
        told = [_told(change, entry, _former(before, entry[0])) for change, entry in zip(changes, entries, strict=True)]
        head = self._head_after(before, told, empty=empty)
        small = len(changes) <= min(self._kept_changes, _TOLD_CHANGES) and _length(entries) <= _TOLD_BYTES
        done = await (self._change if small else self._replace)(before, head, entries)
        return head if done else None

    def _entry(self, change: Change, revision: int) -> pb.CatalogEntry | None:
        if change.entity is None:
            return None
        return self._store.entries.written(change.identity, change.entity, revision)

    def _head_after(self, before: Snapshot, told: Sequence[StoredChange], *, empty: bool) -> Head:
        if before.head is None:
            totals = totals_after(dict.fromkeys(Kind, Total()), told)
            epoch = secrets.token_hex(_EPOCH_BYTES)
            return Head(epoch=epoch, begun_at=self._clock(), revision=1, empty=empty, totals=totals)
        totals = totals_after(before.head.totals, told)
        return replace(before.head, revision=before.head.revision + 1, empty=empty, totals=totals)

    async def _change(self, before: Snapshot, head: Head, entries: Sequence[_Entry]) -> bool:
        messages = [change_message(identity, entry, _former(before, identity)) for identity, entry in entries]
        kept = max(_TRANSACTIONS_KEPT, self._kept_changes // max(1, len(entries)))
        arguments: list[bytes | int] = []
        for identity, entry in entries:
            value = entry.SerializeToString() if entry else b""
            arguments += [_KINDS.index(identity.kind) + 1, field_of(identity), value]
        records = self._store.records
        state = (before.record, records.written_head(head), records.written_transaction(head, messages))
        return bool(await self._script(CHANGE, (), *state, kept, *arguments) == _REPLACED)

    async def _replace(self, before: Snapshot, head: Head, entries: Sequence[_Entry]) -> bool:
        nonce, fields = secrets.token_hex(_EPOCH_BYTES), _by_kind(entries)
        staged = [self._store.names.staged(kind, nonce) for kind in fields]
        arguments: list[int] = []
        for number, (kind, changed) in enumerate(fields.items(), start=1):
            await self._stage(staged[number - 1], kind, changed, begin=before.head is None)
            arguments += [_KINDS.index(kind) + 1, number, head.totals[kind].count]
        records = self._store.records
        state = (before.record, records.written_head(head), records.written_transaction(head, None))
        outcome = await self._script(REPLACE, staged, *state, self._kept_changes, len(_KINDS), *arguments)
        if outcome == _REPLACED:
            return True
        with contextlib.suppress(Unavailable):  # it goes by itself, only later
            await self._store.server.execute(b"UNLINK", *staged)
        if outcome == _RACED or (await self._store.state())[0] != before.record:
            return False
        raise Unavailable(COMPONENT, f"what was made ready is not there any more after {_STAGED_SECONDS} s; try again")

    async def _stage(self, key: bytes, kind: Kind, changed: _Fields, *, begin: bool) -> None:
        async for pairs in self._resulting(kind, changed, begin=begin):
            for part in slices(pairs, entries=_BATCH_ENTRIES, octets=_BATCH_BYTES):
                flat = [word for pair in part for word in pair]
                await self._store.server.execute(b"EVAL", STAGE.encode(), 1, key, _STAGED_SECONDS, *flat)

    async def _resulting(self, kind: Kind, changed: _Fields, *, begin: bool) -> AsyncIterator[Sequence[Pair]]:
        """What is there, byte for byte, with the changes."""
        if not begin:
            async for pairs in scanned(self._store.server, self._store.names.entities(kind)):
                yield [pair for pair in pairs if pair[0] not in changed]
        yield [(field, value) for field, value in changed.items() if value is not None]

    async def _script(self, script: str, staged: Sequence[bytes], *arguments: bytes | int) -> object:
        names = self._store.names
        keys = (names.head, names.news, *(names.entities(kind) for kind in _KINDS), *staged)
        return await self._store.server.execute(b"EVAL", script.encode(), len(keys), *keys, *arguments)


def _former(before: Snapshot, identity: Identity) -> bytes:
    stored = before.stored.get(identity)
    return stored.tag if stored else b""


def _told(change: Change, entry: _Entry, former_tag: bytes) -> StoredChange:
    return StoredChange(change=change, tag=entry[1].tag if entry[1] else b"", former_tag=former_tag)


def _by_kind(entries: Sequence[_Entry]) -> dict[Kind, dict[bytes, bytes | None]]:
    fields: dict[Kind, dict[bytes, bytes | None]] = {}
    for identity, entry in entries:
        value = entry.SerializeToString() if entry else None
        fields.setdefault(identity.kind, {})[field_of(identity)] = value
    return fields


def _length(entries: Sequence[_Entry]) -> int:
    return sum(entry.ByteSize() for _, entry in entries if entry is not None)
