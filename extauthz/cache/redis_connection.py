"""Commands to the shared Redis: in bounded time, and not to one that has just failed."""

import time

from extauthz.cache.reachability import Health, Reachability
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import RedisOptions
from extauthz.redis_client.server import Busy, RedisServer


class RedisConnection:
    """Runs commands. Connects at the first one.

    An outage costs a request no more than the time-out of the options, and only once: then nobody asks for
    `back_off_seconds`, which `monotonic` times. Commands above the connections wait, so that a burst is not taken for
    an outage.

    Raises:
        ValueError: a URL of another kind.
    """

    def __init__(
        self,
        options: RedisOptions,
        *,
        component: str,
        health: Health,
        back_off_seconds: float = 1.0,
        monotonic: Clock = time.monotonic,
    ) -> None:
        """`component` names the use in `Unavailable`."""
        self._server = RedisServer(options, component=component)
        self._component = component
        self._reachability = Reachability(back_off_seconds=back_off_seconds, monotonic=monotonic, health=health)

    async def execute(self, *command: bytes | int) -> object:
        """Redis' reply.

        Raises:
            Unavailable: none within the time-out.
        """
        if not self._reachability.may_try():
            raise Unavailable(self._component, "not asked again yet")
        try:
            reply: object = await self._server.execute(*command)
        except Busy:
            raise
        except Unavailable:
            self._reachability.failed()
            raise
        self._reachability.succeeded()
        return reply

    async def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        await self._server.close()
