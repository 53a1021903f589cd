"""Leaving an endpoint alone that fails again and again."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable

_log = logging.getLogger(__name__)


class CircuitBreaker:
    """Closed until `failures` calls in a row fail; then open for `open_seconds`; then one call tries for all.

    The trial closes it or opens it anew. A trial that is cancelled proves nothing: the next call is one.
    """

    def __init__(self, component: str, *, failures: int, open_seconds: float, clock: Clock) -> None:
        self._component = component
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        """None: closed."""
        self._on_trial = False

    def __repr__(self) -> str:
        state = "closed" if self._opened_at is None else "on trial" if self._on_trial else "open"
        return f"<CircuitBreaker {self._component} {state} failures={self._failures}>"

    def ensure_passable(self) -> None:
        """Nothing, if a call may be made now.

        Raises:
            Unavailable: open, or on trial.
        """
        remaining = self._remaining_seconds()
        if self._on_trial or remaining > 0:
            detail = f"left alone after {self._failures} failures in a row"
            raise Unavailable(self._component, detail, retry_after_seconds=max(1, math.ceil(remaining)))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around a call: one that raises Unavailable has failed, one that ends has not, and a cancelled one is neither.

        Raises:
            Unavailable: as `ensure_passable`, or the call's own.
        """
        self.ensure_passable()
        trial = self._opened_at is not None
        self._on_trial = trial
        try:
            yield
        except Unavailable:
            self._failed(trial=trial)
            raise
        else:
            self._succeeded(trial=trial)
        finally:
            if trial:
                self._on_trial = False

    def _remaining_seconds(self) -> float:
        if self._opened_at is None:
            return 0.0
        elapsed = self._clock() - self._opened_at
        # A clock that went back must not keep it open for longer.
        return self._open_seconds - elapsed if elapsed >= 0 else 0.0

    def _failed(self, *, trial: bool) -> None:
        if not trial and self._opened_at is not None:
            return  # Begun before it opened: that the endpoint fails is known already.
        self._failures += 1
        if self._failures >= self._limit:
            self._opened_at = self._clock()
            _log.warning(
                "%s: left alone for %s s after %d failures", self._component, self._open_seconds, self._failures
            )

    def _succeeded(self, *, trial: bool) -> None:
        if not trial and self._opened_at is not None:
            return  # Begun before it opened: old news.
        if trial:
            _log.info("%s: answers again", self._component)
        self._failures, self._opened_at = 0, None
