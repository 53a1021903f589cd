"""How long to wait before a worker is started again."""

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 30.0


class RestartPause:
    """Twice as long each time, so that a worker that cannot live burns no core; short again after a long life."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def after(self, lived_seconds: float) -> float:
        """Seconds to wait now that a worker ended which lived so long."""
        if lived_seconds >= _LONGEST_SECONDS:
            self._next = _FIRST_SECONDS
        pause, self._next = self._next, min(2 * self._next, _LONGEST_SECONDS)
        return pause
