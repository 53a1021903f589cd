"""Commands to a Redis or Valkey server: in bounded time, and not to one that has just failed."""

import asyncio
import time
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from extauthz.cache.reachability import Health, Reachability
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """How the shared cache uses its Redis."""

    username: str | None = None
    """Of an ACL user; None: the default user."""
    password: str | None = field(default=None, repr=False)
    prefix: str = "extauthz:"
    """Of every key, so that one server can serve several meshes."""
    timeout_seconds: float = 0.1
    """Of one command, with the wait for a connection: an outage costs a request no more than this, and only once."""
    back_off_seconds: float = 1.0
    """How long nobody asks after a failure."""
    claim_seconds: float = 3.0
    """How long one replica may take to learn a token before another takes over; above an issuer's time-out."""
    connections: int = 16
    """Commands in flight. Those above wait, so that a burst is not taken for an outage."""


class RedisConnection:
    """Runs commands. Connects at the first one.

    `url` is `redis://`, `rediss://` or `unix://`, with redis-py's query options. `monotonic` times the back-off.

    Raises:
        ValueError: a URL of another kind.
    """

    def __init__(
        self, url: str, options: RedisOptions, *, component: str, health: Health, monotonic: Clock = time.monotonic
    ) -> None:
        """`component` names the use in `Unavailable`."""
        self._client = _client(url, options)
        self._component = component
        self._timeout_seconds = options.timeout_seconds
        self._slots = asyncio.Semaphore(options.connections)
        self._reachability = Reachability(back_off_seconds=options.back_off_seconds, monotonic=monotonic, health=health)

    async def execute(self, *command: bytes | int) -> object:
        """Redis' reply.

        Raises:
            Unavailable: none within the time-out.
        """
        asked = False
        try:
            async with asyncio.timeout(self._timeout_seconds), self._slots:
                if not self._reachability.may_try():
                    raise Unavailable(self._component, "not asked again yet")
                asked = True
                reply: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it bare
        except (RedisError, OSError) as exc:  # OSError includes the time-out
            if asked:  # else every connection was busy: that is load, not an outage
                self._reachability.failed()
            raise Unavailable(self._component, type(exc).__name__) from exc
        self._reachability.succeeded()
        return reply

    async def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        try:
            await self._client.aclose()
        except (RedisError, OSError):  # a connection that is already lost needs no closing
            return


def _client(url: str, options: RedisOptions) -> Redis:
    return Redis.from_url(
        url,
        username=options.username,
        password=options.password,
        max_connections=options.connections,
        socket_connect_timeout=options.timeout_seconds,
        # The deadline around each command covers reading and writing; a second one costs a task a command.
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),  # a miss is cheaper than a second attempt
        protocol=2,
        driver_info=None,  # nothing to say before the first command
    )
