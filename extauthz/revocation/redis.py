"""Revocations in a Redis that all replicas share: a sorted set for those who come later, a stream for news."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from extauthz.model.errors import Unavailable
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """How revocations use their Redis."""

    username: str | None = None
    """Of an ACL user; None: the default user."""
    password: str | None = field(default=None, repr=False)
    prefix: str = "extauthz:"
    timeout_seconds: float = 2.0
    """Of one command. No Check waits for it."""
    kept_news: int = 10_000
    """What a replica may have missed without loading everything again; 150 bytes each."""
    connections: int = 8
    """Commands in flight; one more waits for news."""


class RedisChannel:
    """`Channel` and `RevocationStore` in a Redis or Valkey server. Connects at the first use.

    Entries are named and proven by keys that Redis never sees, so whoever reads there learns no token, client or
    subject, and whoever writes there cannot revoke. Who deletes there can hide revocations from replicas that start
    later, as long as no other replica notices and restores them.

    Raises:
        ValueError: a URL that is not `redis://`, `rediss://` or `unix://`.
    """

    def __init__(self, *, url: str, keys: RevocationKeys, options: RedisOptions) -> None:
        self._client = _client(url, options)
        self._keys = keys
        self._options = options
        self._slots = asyncio.Semaphore(options.connections)
        # One hash tag: a cluster holds them together, so that a script may touch all.
        prefix = f"{{{options.prefix}revocations}}".encode()
        self._names = (prefix + b":entries", prefix + b":count", prefix + b":news")

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
        match await self._answer(wait_seconds + self._options.timeout_seconds, *command):
            case None:
                return ()
            case [[bytes(), [*items]]]:
                return tuple(self._news(item) for item in items)
        raise Unavailable(_COMPONENT, "redis gave an odd answer")

    async def eviction_policy(self) -> str | None:
        """See `RevocationStore`. Hosted servers often forbid CONFIG and tell the same in INFO."""
        for command in ((b"CONFIG", b"GET", b"maxmemory-policy"), (b"INFO", b"memory")):
            try:
                answer = await self._execute(*command)
            except _RefusedError:
                continue
            text = b" ".join(answer) if isinstance(answer, list) else answer
            if isinstance(text, bytes) and (policy := _policy(text.decode("ascii", "replace"))):
                return policy
        return None

    async def close(self) -> None:
        """Close the connections; the channel is of no use afterwards."""
        with contextlib.suppress(RedisError, OSError):  # a connection that is already lost needs no closing
            await self._client.aclose()

    async def _publish(self, entries: Sequence[Entry], *, epoch_needed: bool) -> bool:
        for first in range(0, len(entries), _BATCH_ENTRIES):
            batch = entries[first : first + _BATCH_ENTRIES]
            pairs = [part for entry in batch for part in (repr(entry.keep_until).encode(), self._keys.prove(entry))]
            limits = (self._options.kept_news, _ENDED_STAY_SECONDS)
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
            return await self._answer(self._options.timeout_seconds, *command)

    async def _answer(self, timeout_seconds: float, *command: bytes | int) -> Any:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it bare
        except ResponseError as exc:
            raise _RefusedError(_COMPONENT, f"redis refuses {_word(command)} ({type(exc).__name__})") from exc
        except (RedisError, OSError) as exc:  # OSError includes the time-out
            raise Unavailable(_COMPONENT, f"redis does not answer ({type(exc).__name__})") from exc


class _RefusedError(Unavailable):
    """Redis answered, and said no."""


def _client(url: str, options: RedisOptions) -> Redis:
    return Redis.from_url(
        url,
        username=options.username,
        password=options.password,
        max_connections=options.connections + 1,
        socket_connect_timeout=options.timeout_seconds,
        # The deadline around each command covers reading and writing.
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),  # whoever waits is told; the follower tries again by itself
        protocol=2,
        driver_info=None,  # nothing to say before the first command
    )


def _number(text: bytes) -> int | None:
    """What INCR could have counted, or None; `int` raises for thousands of digits."""
    return int(text) if text.isdigit() and len(text) <= _NUMBER_DIGITS else None


def _word(command: tuple[bytes | int, ...]) -> str:
    return command[0].decode("ascii") if isinstance(command[0], bytes) else ""


def _policy(text: str) -> str | None:
    """From CONFIG's pair of words, or a line of INFO."""
    for line in text.splitlines():
        name, _, value = line.replace(" ", ":").partition(":")
        if name.replace("-", "_") == "maxmemory_policy":
            return value.strip()
    return None
