"""Long work on the event loop in short slices, so that no Check waits for the end of it."""

import asyncio
from time import perf_counter

_SLICE_SECONDS = 0.0005
_TURNS = 5
"""Of the loop, between two slices: a Check takes some, and must not wait for a slice before each of them."""


class Slices:
    """Asked after each small step of the work; lets everybody else have a turn when a slice is over."""

    def __init__(self, seconds: float = _SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._end = perf_counter() + seconds

    @property
    def over(self) -> bool:
        """Whether it is somebody else's turn."""
        return perf_counter() >= self._end

    async def rest(self) -> None:
        """Lets the others have theirs."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._end = perf_counter() + self._seconds
