"""A clock that a test moves."""

import time


class Clock:
    """The time of day plus what a test adds to it."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Moves the time on."""
        self._ahead += seconds
