"""Revocations as a process holds them, put together for tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from support.redis_servers import Servers, patient

from extauthz.revocation.check import RevocationCheck
from extauthz.revocation.follower import Follower, Patience
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.redis import RedisChannel
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation_list import RevocationList
from extauthz.revocation.revoker import Channel, OneProcess, Revoker

REVOCATION_SECRET = b"a secret of at least 32 bytes, for revocations"
RETENTION = Retention(seconds=30 * 86_400.0)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for something that happens elsewhere and tells nobody."""
    while not await condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRevocations:
    """What one process knows, and how it learns more."""

    keys: RevocationKeys
    revoked: RevocationList
    check: RevocationCheck
    revoker: Revoker

    @classmethod
    def over(
        cls,
        channel: Channel,
        clock: Callable[[], float],
        *,
        retention: Retention = RETENTION,
        keys: RevocationKeys | None = None,
        known: bool = False,
    ) -> Self:
        """A process that publishes to a channel."""
        keys, revoked = keys or RevocationKeys([REVOCATION_SECRET]), RevocationList(clock)
        revoked.known = known
        return cls(
            keys=keys,
            revoked=revoked,
            check=RevocationCheck(keys=keys, revoked=revoked, retention=retention, clock=clock),
            revoker=Revoker(keys=keys, revoked=revoked, retention=retention, channel=channel, clock=clock),
        )

    @classmethod
    def alone(cls, clock: Callable[[], float], *, retention: Retention = RETENTION) -> Self:
        """A process that shares with nobody, so that it knows everything."""
        return cls.over(OneProcess(), clock, retention=retention, known=True)


class Reports:
    """What a follower told, for a test to wait for."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, bool, str]] = []
        self._changed = asyncio.Condition()
        self._waking: set[asyncio.Task[None]] = set()

    def __call__(self, *, known: bool, following: bool, detail: str) -> None:
        self.told.append((known, following, detail))
        task = asyncio.ensure_future(self._wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def until(self, *, known: bool | None = None, following: bool | None = None, detail: str = "") -> None:
        """Waits until the newest is like this."""

        def fits() -> bool:
            now = self.told[-1] if self.told else None
            return (
                now is not None
                and (known is None or now[0] is known)
                and (following is None or now[1] is following)
                and detail in now[2]
            )

        async with self._changed:
            await self._changed.wait_for(fits)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def redis_channel(
    servers: Servers, keys: RevocationKeys | None = None, kept_news: int = 10_000, **options: object
) -> RedisChannel:
    """A channel that is patient with a busy machine."""
    settings = patient(servers, **options)
    return RedisChannel(keys=keys or RevocationKeys([REVOCATION_SECRET]), options=settings, kept_news=kept_news)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A process that follows a Redis, without the rest of it."""

    held: HeldRevocations
    reports: Reports

    async def ready(self) -> None:
        """Waits until it knows the past and hears the news."""
        await self.reports.until(known=True, following=True)

    async def holds(self, count: int) -> None:
        """Waits until it holds this many revocations."""

        async def so_many() -> bool:
            return len(self.held.revoked) == count

        await until(so_many)


@asynccontextmanager
async def running_replica(
    servers: Servers, clock: Callable[[], float], *, keys: RevocationKeys | None = None, **options: Any
) -> AsyncIterator[Replica]:
    """One that looks often and tries again soon, so that tests are short."""
    keys = keys or RevocationKeys([REVOCATION_SECRET])
    channel = redis_channel(servers, keys, **options)
    held, reports = HeldRevocations.over(channel, clock, keys=keys), Reports()
    patience = Patience(news_seconds=0.1, retry_seconds=0.02)
    following = asyncio.create_task(
        Follower(store=channel, revoked=held.revoked, report=reports, patience=patience).run()
    )
    try:
        yield Replica(held=held, reports=reports)
    finally:
        following.cancel()
        await asyncio.wait({following})
        await channel.close()
