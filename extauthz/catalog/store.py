"""A catalog that many replicas share: what a store of it says, already proven to be its writers' word."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from extauthz.catalog.changes import Change, Entity, Identity, Kind
from extauthz.model.errors import Unavailable


class Untrusted(Exception):  # noqa: N818 - a verdict
    """Something in the store does not parse, was not written with the catalog's secret, or is for newer readers.

    The last good catalog stays: to pass over the entry could let `/pets/admin` fall through to an open `/pets/*`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What all entities of a kind come to; equal totals mean equal entities."""

    count: int = 0
    tags: int = 0
    """Sum of the weights of the entities' tags (`catalog.totals`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The state of a catalog in one record, proven by its own tag."""

    epoch: str
    """Chosen at random when a catalog is begun in an empty store."""
    begun_at: float
    """Seconds since the Unix epoch. A later epoch takes the place of an earlier one, never the reverse."""
    revision: int
    """Rises by one with each transaction."""
    empty: bool = False
    """Whether it was asked for that there is no API."""
    totals: Mapping[Kind, Total]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A state, and the place in the stream of changes behind which everything is newer than it."""

    head: Head
    news: bytes


class Stored(Struct, frozen=True):
    """An entity as it stands in the store; a load makes a million of them."""

    kind: Kind
    name: str
    """`Identity.name`."""
    entity: Entity
    revision: int
    """Of the transaction that wrote it."""
    tag: bytes
    """Its proof; no two entities have the same."""

    @property
    def identity(self) -> Identity:
        """What it is the present state of."""
        return Identity.named(self.kind, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChange:
    """A change within a transaction."""

    change: Change
    tag: bytes
    """Empty for a tombstone."""
    former_tag: bytes
    """Of the entity in whose place it comes; empty: there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Changes that were written at once, and the state after them."""

    position: Position
    changes: Sequence[StoredChange] | None
    """None: too many to be told one by one; load everything again."""


class CatalogStore(Protocol):
    """Where a catalog is kept for all replicas. Every method raises Unavailable when the store does not answer."""

    async def position(self) -> Position | None:
        """The state now; None: the store holds no catalog (it is new, or was flushed).

        Raises:
            Untrusted: the head is not our writers'.
        """
        ...

    def pages(self, kind: Kind) -> AsyncGenerator[Sequence[Stored]]:
        """Every entity of a kind, some perhaps twice, of some moment each since the first page.

        A page is so short that a Check may wait for it; whoever takes many lets Checks in between.

        Raises:
            Untrusted: an entry is not our writers'.
        """
        ...

    async def news(self, after: Position, wait_seconds: float) -> Sequence[Transaction]:
        """The next transactions, in order; empty when none came in time.

        Raises:
            Untrusted: one of them is not our writers'.
            Missed: the stream begins later than that position.
        """
        ...


class Missed(Unavailable):
    """Changes were trimmed before they were read: load everything again."""
