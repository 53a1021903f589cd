"""A bound on how many questions an endpoint is asked at one time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from extauthz.model.errors import Unavailable

_LEAST_SECONDS = 0.01
"""Without this much time nobody is asked."""


class Turns:
    """Lets so many through at one time; the others wait for their turn."""

    def __init__(self, max_concurrent: int) -> None:
        self._turns = asyncio.Semaphore(max_concurrent)

    @asynccontextmanager
    async def turn(self, deadline: float, too_late: Unavailable) -> AsyncIterator[None]:
        """Around a question that must have its answer at `deadline`, a time of the event loop.

        Raises:
            Unavailable: `too_late`, if no turn came, or came with no time left for an answer.
        """
        # Not a failure of the endpoint, so this belongs outside of its circuit breaker.
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError as exc:
            raise too_late from exc
        try:
            if asyncio.get_running_loop().time() > deadline - _LEAST_SECONDS:
                raise too_late
            yield
        finally:
            self._turns.release()
