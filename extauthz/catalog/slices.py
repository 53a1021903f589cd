"""Long work on the event loop in short slices, so that no Check waits for the end of it."""

import asyncio
from time import perf_counter

_SLICE_SECONDS = 0.0005
_QUIET_SECONDS = 0.00005
"""A turn of the loop that took less than this was nobody's."""
_QUIET_TURNS = 2
"""A Check that waits for another thread leaves one quiet turn behind it, rarely two."""
_MOST_TURNS = 10
"""Where Checks never end, the work goes on nevertheless."""


class Slices:
    """Asked after each small step of the work; lets everybody else have their turns when a slice is over."""

    def __init__(self, seconds: float = _SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._end = perf_counter() + seconds

    @property
    def over(self) -> bool:
        """Whether it is somebody else's turn."""
        return perf_counter() >= self._end

    async def rest(self) -> None:
        """Lets the others have theirs: a Check takes several, and must not wait for a slice before each of them."""
        quiet, now = 0, perf_counter()
        for _ in range(_MOST_TURNS):
            began = now
            await asyncio.sleep(0)
            now = perf_counter()
            quiet = quiet + 1 if now - began < _QUIET_SECONDS else 0
            if quiet == _QUIET_TURNS:
                break
        self._end = now + self._seconds
