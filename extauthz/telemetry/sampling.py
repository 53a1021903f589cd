"""Which of many equal events are recorded."""

from collections.abc import Callable

_TICK_SECONDS = 1.0


class Sampler:
    """The first of each second, then one of many; each that is taken says how many it stands for."""

    __slots__ = ("_first", "_monotonic", "_one_in", "_passed", "_seen", "_tick_ends")

    def __init__(self, *, first: int, one_in: int, monotonic: Callable[[], float]) -> None:
        """`first` of each second are all taken, and after them every `one_in`-th.

        Raises:
            ValueError: less than none, or one in none.
        """
        if first < 0 or one_in < 1:
            raise ValueError("first must be at least 0, one_in at least 1")
        self._first = first
        self._one_in = one_in
        self._monotonic = monotonic
        self._tick_ends = 0.0
        self._seen = 0
        """In this second."""
        self._passed = 0
        """Passed over since one was taken, be it in a second before: so nothing is lost from the sum."""

    def take(self) -> int:
        """How many events this one stands for, itself among them; 0: it is passed over."""
        now = self._monotonic()
        if now >= self._tick_ends:
            self._tick_ends, self._seen = now + _TICK_SECONDS, 0
        self._seen = seen = self._seen + 1
        if seen > self._first and (seen - self._first) % self._one_in:
            self._passed += 1
            return 0
        stands_for, self._passed = self._passed + 1, 0
        return stands_for


class PerSecond:
    """At most so many of something in each second."""

    __slots__ = ("_left", "_monotonic", "_most", "_tick_ends")

    def __init__(self, most: int, *, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._tick_ends = 0.0
        self._left = 0

    def take(self) -> bool:
        """Whether there is room for one more in this second."""
        now = self._monotonic()
        if now >= self._tick_ends:
            self._tick_ends, self._left = now + _TICK_SECONDS, self._most
        if not self._left:
            return False
        self._left -= 1
        return True
