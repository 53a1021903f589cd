"""Revocations in a Redis that all replicas share: a sorted set for those who come later, a stream for news."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from extauthz.model.errors import Unavailable
from extauthz.redis_client.eviction import eviction_policy
from extauthz.redis_client.options import RedisOptions
from extauthz.redis_client.server import RedisServer
from extauthz.revocation.channel import News, Page, Position
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.revocation import Entry
from extauthz.revocation.scripts import INITIALISE, POSITION, PUBLISH

_COMPONENT = "revocations"
_EPOCH_PREFIX = b"epoch:"
_EPOCH_BYTES = 16
_PAGE_ENTRIES = 1000
_BATCH_ENTRIES = 500
"""Of one script: Redis answers nobody else meanwhile."""
_NUMBER_DIGITS = 19
"""INCR counts in 64 bits with a sign. Anybody who can write there may have put anything in its place."""
_ENDED_STAY_SECONDS = 3600
"""Long enough for any difference between Redis' clock and ours."""


class RedisChannel:
    """`Channel` and `RevocationStore` in a Redis or Valkey. Connects at the first use.

    Entries are named and proven by keys that Redis never sees, so whoever reads there learns no token, client or
    subject, and whoever writes there cannot revoke. Who deletes there can hide revocations from replicas that start
    later, as long as no other replica notices and restores them.

    `kept_news` is what a replica may have missed without loading everything again; 150 bytes each.

    Raises:
        ValueError: a URL that is not `redis://`, `rediss://` or `unix://`.
    """

    def __init__(self, *, keys: RevocationKeys, options: RedisOptions, kept_news: int = 10_000) -> None:
        self._keys = keys
        self._timeout_seconds = options.timeout_seconds
        self._kept_news = kept_news
        self._slots = asyncio.Semaphore(options.connections)
        # One hash tag: a cluster holds them together, so that a script may touch all.
        prefix = f"{{{options.prefix}revocations}}".encode()
        self._names = (prefix + b":entries", prefix + b":count", prefix + b":news")
        waiting = replace(options, connections=options.connections + 1)  # one more waits for news
        self._server = RedisServer(waiting, component=_COMPONENT, home=prefix)

    async def publish(self, entries: Sequence[Entry]) -> None:
        """See `Channel`; Unavailable as well where there is no epoch yet."""
        if not await self._publish(entries, epoch_needed=True):
            raise Unavailable(_COMPONENT, "redis was never initialised, or has lost its entries")

    async def restore(self, entries: Sequence[Entry]) -> None:
        """See `RevocationStore`."""
        await self._publish(entries, epoch_needed=False)

    async def initialise(self) -> bool:
        """See `RevocationStore`."""
        epoch = _EPOCH_PREFIX + secrets.token_hex(_EPOCH_BYTES).encode()
        return bool(await self._script(INITIALISE, epoch))

    async def position(self) -> Position:
        """See `RevocationStore`."""
        match await self._script(POSITION):
            case [bytes() | None as epoch, bytes() as text, bytes() as news] if (number := _number(text)) is not None:
                return Position(epoch=epoch, number=number, news=news)
        raise Unavailable(_COMPONENT, "redis gave an odd answer")

    async def pages(self) -> AsyncIterator[Page]:
        """See `RevocationStore`. ZSCAN tells every member that is there from its beginning to its end."""
        cursor = b"0"
        while True:
            answer = await self._execute(b"ZSCAN", self._names[0], cursor, b"COUNT", _PAGE_ENTRIES)
            match answer:
                case [bytes() as cursor, [*members]]:
                    yield self._page(members[::2])
                case _:
                    raise Unavailable(_COMPONENT, "redis gave an odd answer")
            if cursor == b"0":
                return

    async def news(self, after: Position, wait_seconds: float) -> Sequence[News]:
        """See `RevocationStore`. XREAD that blocks: news arrive when they are published, not when somebody looks."""
        wait = max(1, int(wait_seconds * 1000))
        command = (b"XREAD", b"COUNT", _PAGE_ENTRIES, b"BLOCK", wait, b"STREAMS", self._names[2], after.news)
        match await self._server.execute(*command, timeout_seconds=wait_seconds + self._timeout_seconds):
            case None:
                return ()
            case [[bytes(), [*items]]]:
                return tuple(self._news(item) for item in items)
        raise Unavailable(_COMPONENT, "redis gave an odd answer")

    async def eviction_policy(self) -> str | None:
        """See `RevocationStore`."""
        async with self._slots:
            return await eviction_policy(self._server)

    async def close(self) -> None:
        """Close the connections; the channel is of no use afterwards."""
        await self._server.close()

    async def _publish(self, entries: Sequence[Entry], *, epoch_needed: bool) -> bool:
        for first in range(0, len(entries), _BATCH_ENTRIES):
            batch = entries[first : first + _BATCH_ENTRIES]
            pairs = [part for entry in batch for part in (repr(entry.keep_until).encode(), self._keys.prove(entry))]
            limits = (self._kept_news, _ENDED_STAY_SECONDS)
            if await self._script(PUBLISH, b"1" if epoch_needed else b"0", *limits, *pairs) != 1:
                return False
        return True

    def _page(self, members: Sequence[bytes]) -> Page:
        entries = [self._keys.proven(member) for member in members if not member.startswith(_EPOCH_PREFIX)]
        proven = tuple(entry for entry in entries if entry is not None)
        return Page(entries=proven, unproven=len(entries) - len(proven))

    def _news(self, item: Any) -> News:
        match item:
            case [
                bytes() as name,
                [b"number", bytes() as number, b"epoch", bytes() as epoch, b"entry", bytes() as entry],
            ]:
                # No news has the number 0, so whatever is none leaves a gap.
                position = Position(epoch=epoch or None, number=_number(number) or 0, news=name)
                return News(position=position, entry=self._keys.proven(entry))
            case [bytes() as name, _]:  # a stranger's
                return News(position=Position(epoch=None, number=0, news=name), entry=None)
        raise Unavailable(_COMPONENT, "redis gave an odd answer")

    async def _script(self, script: str, *arguments: bytes | int) -> Any:
        return await self._execute(b"EVAL", script.encode(), len(self._names), *self._names, *arguments)

    async def _execute(self, *command: bytes | int) -> Any:
        async with self._slots:
            return await self._server.execute(*command)


def _number(text: bytes) -> int | None:
    """What INCR could have counted, or None; `int` raises for thousands of digits."""
    return int(text) if text.isdigit() and len(text) <= _NUMBER_DIGITS else None
