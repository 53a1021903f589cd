"""Stores of a catalog that a test can write to, take away and spoil: one in memory, one in a real Valkey."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from extauthz.catalog.changes import Change, Entity, Identity, Kind, identity_of
from extauthz.catalog.store import Head, Missed, Position, Stored, StoredChange, Total, Transaction, Untrusted
from extauthz.catalog.totals import totals_after
from extauthz.model.errors import Unavailable

PAGE = 2
"""Small, so that a few entities make several pages."""
_EPOCHS = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    head: Head | None
    stored: dict[Identity, Stored]
    news: tuple[Transaction | None, ...]
    """None: a stranger's."""


async def _nothing(_kind: Kind) -> None:
    return


class MemoryStore:
    """`CatalogStore` and its writer in one, without a server."""

    def __init__(self) -> None:
        self._state = _State(head=None, stored={}, news=())
        self._trimmed = 0
        self._written = asyncio.Condition()
        self.down = False
        self.forged: set[Kind] = set()
        self.before_page: Callable[[Kind], Awaitable[None]] = _nothing
        """What happens while a page of a kind is on its way."""
        self.loads = 0

    async def write(self, *put: Entity, remove: Iterable[Entity] = (), empty: bool = False, told: bool = True) -> Head:
        """One transaction; `told`: change by change."""
        head = self._state.head or Head(
            epoch=f"epoch {next(_EPOCHS)}", begun_at=0.0, revision=0, totals=dict.fromkeys(Kind, Total())
        )
        if self._state.head is None:
            head = replace(head, begun_at=float(head.epoch.split()[1]))
        changes = [self._change(head.revision + 1, identity_of(entity), entity) for entity in put]
        changes += [self._change(head.revision + 1, identity_of(entity), None) for entity in remove]
        head = replace(head, revision=head.revision + 1, empty=empty, totals=totals_after(head.totals, changes))
        stored = dict(self._state.stored)
        for each in changes:
            stored.pop(each.change.identity, None)
            if each.change.entity is not None:
                kind, name = each.change.identity.kind, each.change.identity.name
                stored[each.change.identity] = Stored(kind, name, each.change.entity, head.revision, each.tag)
        transaction = Transaction(position=self._position(head, +1), changes=changes if told else None)
        await self._set(_State(head=head, stored=stored, news=(*self._state.news, transaction)))
        return head

    async def trim(self) -> None:
        """The stream forgets all that was told until now."""
        self._trimmed = len(self._state.news)

    async def flush(self) -> None:
        await self._set(_State(head=None, stored={}, news=()))
        self._trimmed = 0

    async def lose(self, entity: Entity) -> None:
        """An entry is gone, and the head does not know."""
        left = {identity: each for identity, each in self._state.stored.items() if identity != identity_of(entity)}
        self._state = replace(self._state, stored=left)

    async def forge(self, kind: Kind) -> None:
        """An entry that was not written with the secret."""
        self.forged.add(kind)

    async def mend(self) -> None:
        self.forged.clear()

    async def shout(self) -> None:
        """A stranger writes into the stream."""
        await self._set(replace(self._state, news=(*self._state.news, None)))

    async def save(self) -> object:
        return self._state

    async def restore(self, saved: object) -> None:
        """Puts back what was proven once."""
        assert isinstance(saved, _State)
        await self._set(saved)

    async def fail(self) -> None:
        self.down = True
        async with self._written:
            self._written.notify_all()

    async def recover(self) -> None:
        self.down = False

    async def position(self) -> Position | None:
        self._ensure_up()
        return self._position(self._state.head) if self._state.head else None

    async def pages(self, kind: Kind) -> AsyncGenerator[Sequence[Stored]]:
        self.loads += kind is Kind.KEY_MANAGER
        identities = [identity for identity in self._state.stored if identity.kind is kind]
        for first in range(0, max(1, len(identities)), PAGE):
            await self.before_page(kind)
            self._ensure_up()
            if kind in self.forged:
                raise Untrusted(f"a {kind} was not written with the catalog's secret")
            page = (self._state.stored.get(identity) for identity in identities[first : first + PAGE])
            yield [stored for stored in page if stored is not None]

    async def news(self, after: Position, wait_seconds: float) -> Sequence[Transaction]:
        place = int(after.news)
        async with self._written:
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._written.wait_for(lambda: self.down or len(self._state.news) > place)
            except TimeoutError:
                return ()
        self._ensure_up()
        if place < self._trimmed:
            raise Missed("catalog", "trimmed")
        told: list[Transaction] = []
        for each in self._state.news[place:]:
            if each is None:
                if told:
                    break
                raise Untrusted("a stranger's entry is in the stream of changes")
            told.append(each)
        return told

    def _change(self, revision: int, identity: Identity, entity: Entity | None) -> StoredChange:
        former = self._state.stored.get(identity)
        text = repr((revision, entity)).encode()
        tag = hashlib.sha256(text).digest() if entity is not None else b""
        change = Change(identity=identity, entity=entity)
        return StoredChange(change=change, tag=tag, former_tag=former.tag if former else b"")

    def _position(self, head: Head, ahead: int = 0) -> Position:
        return Position(head=head, news=str(len(self._state.news) + ahead).encode())

    async def _set(self, state: _State) -> None:
        async with self._written:
            self._state = state
            self._written.notify_all()

    def _ensure_up(self) -> None:
        if self.down:
            raise Unavailable("catalog", "redis does not answer")
