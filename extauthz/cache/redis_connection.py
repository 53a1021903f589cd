"""Commands to the shared Redis: in bounded time, and not to one that has just failed."""

import asyncio
import time

from extauthz.cache.reachability import Health, Reachability
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import RedisOptions
from extauthz.redis_client.server import RedisServer


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
        self._timeout_seconds = options.timeout_seconds
        self._slots = asyncio.Semaphore(options.connections)
        self._reachability = Reachability(back_off_seconds=back_off_seconds, monotonic=monotonic, health=health)

    async def execute(self, *command: bytes | int) -> object:
        """Redis' reply.

        Raises:
            Unavailable: none within the time-out.
        """
        end = asyncio.get_running_loop().time() + self._timeout_seconds
        if self._slots.locked():
            await self._turn(end)
        else:
            await self._slots.acquire()  # at once: a time-out costs as much as the rest of this method
        try:
            return await self._ask(command, end)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        await self._server.close()

    async def _turn(self, end: float) -> None:
        try:
            async with asyncio.timeout_at(end):
                await self._slots.acquire()
        except TimeoutError as exc:  # that is load, not an outage
            raise Unavailable(self._component, "every connection is busy") from exc

    async def _ask(self, command: tuple[bytes | int, ...], end: float) -> object:
        if not self._reachability.may_try():
            raise Unavailable(self._component, "not asked again yet")
        seconds = end - asyncio.get_running_loop().time()
        try:
            reply: object = await self._server.execute(*command, timeout_seconds=seconds)
        except Unavailable:
            self._reachability.failed()
            raise
        self._reachability.succeeded()
        return reply
