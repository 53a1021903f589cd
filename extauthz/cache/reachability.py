"""Whether a dependency answers, and when to ask one that did not again."""

from typing import Protocol

from extauthz.model.clock import Clock


class Health(Protocol):
    """Told when the shared cache becomes reachable or unreachable, and once at first; never twice the same."""

    def __call__(self, *, reachable: bool) -> None:
        """The new state."""
        ...


class Reachability:
    """After a failure nobody asks for `back_off_seconds`; then one caller at a time tries.

    `monotonic` counts seconds and never goes back, unlike the time of day.
    """

    def __init__(self, *, back_off_seconds: float, monotonic: Clock, health: Health) -> None:
        self._back_off_seconds = back_off_seconds
        self._monotonic = monotonic
        self._health = health
        self._reachable: bool | None = None
        self._next_try = 0.0

    def may_try(self) -> bool:
        """Whether to ask now. In an outage, a yes is given to one caller each back-off: so only one of them waits."""
        if self._reachable is not False:
            return True
        now = self._monotonic()
        if now < self._next_try:
            return False
        self._next_try = now + self._back_off_seconds
        return True

    def succeeded(self) -> None:
        """An answer came."""
        self._turn(reachable=True)

    def failed(self) -> None:
        """No answer came, or none that is of use."""
        self._next_try = self._monotonic() + self._back_off_seconds
        self._turn(reachable=False)

    def _turn(self, *, reachable: bool) -> None:
        if self._reachable is not reachable:
            self._reachable = reachable
            self._health(reachable=reachable)
