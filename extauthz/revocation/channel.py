"""What a replica can learn from a channel that keeps revocations and tells the news (see `redis.RedisChannel`)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from extauthz.revocation.revocation import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the news."""

    epoch: bytes | None
    """Names the store's life; None: it has lost everything, or never had anything."""
    number: int
    """Of the last news, counted from 1 without a gap."""
    news: bytes
    """The stream's own id of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One published entry."""

    position: Position
    entry: Entry | None
    """None: not made by anybody who has the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the entries that are kept."""

    entries: tuple[Entry, ...]
    unproven: int
    """How many more were not made by anybody who has the secret."""


class RevocationStore(Protocol):
    """Keeps revocations and tells the news. Everything raises Unavailable when it does not answer as it must."""

    async def eviction_policy(self) -> str | None:
        """What the store does when its memory is full; None: it does not tell."""
        ...

    async def position(self) -> Position:
        """The end of the news."""
        ...

    def pages(self) -> AsyncIterator[Page]:
        """All that is kept; what is added meanwhile may be missing."""
        ...

    async def restore(self, entries: Sequence[Entry]) -> None:
        """Publish, even where there is no epoch."""
        ...

    async def initialise(self) -> bool:
        """Begin an epoch where there is none; whether there was none."""
        ...

    async def news(self, after: Position, wait_seconds: float) -> Sequence[News]:
        """What was published after a position; empty when nothing came in time."""
        ...
