"""How long the stages of a Check take: of one Check in a few, since each look at the clock costs a little."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Protocol

from extauthz.model.check import RequestContext

STAGES = ("match", "authenticate", "authorize", "upstream")
"""In their order: which API and resource; who calls; may they; what the upstream is told."""
ONE_IN = 16
"""A Check that is timed costs some 10 us more, so on average 1 to 2. Every so manieth is, whatever becomes of it: so
the times are a fair sample."""


class StageTimes(Protocol):
    """Times the stages of one Check (`STAGES`)."""

    def stage_over(self) -> None:
        """A stage is over, and the next one begins."""
        ...

    def over(self) -> None:
        """The Check is over, in the stage in which it is."""
        ...


class _Untimed:
    """Four calls that do nothing take 0.15 us, and spare whoever is timed all questions."""

    __slots__ = ()

    def stage_over(self) -> None:
        """See `StageTimes`."""

    def over(self) -> None:
        """See `StageTimes`."""


UNTIMED: StageTimes = _Untimed()


def untimed(_request: RequestContext, /) -> StageTimes:
    """Times no Check."""
    return UNTIMED


class CheckTimes:
    """When a Check began and each of its stages ended, in seconds of `perf_counter`."""

    __slots__ = ("_told", "began", "ends")

    def __init__(self, told: "Callable[[CheckTimes], None] | None" = None) -> None:
        """`told` is called when the Check is over."""
        self._told = told
        self.ends: list[float] = []
        self.began = perf_counter()

    def stage_over(self) -> None:
        """See `StageTimes`."""
        self.ends.append(perf_counter())

    def over(self) -> None:
        """See `StageTimes`."""
        self.ends.append(perf_counter())
        if self._told is not None:
            self._told(self)

    def stages(self) -> Iterator[tuple[str, float, float]]:
        """Name, begin and end of each stage that there was."""
        begin = self.began
        for name, end in zip(STAGES, self.ends, strict=False):  # a refusal ends it early
            yield name, begin, end
            begin = end


class StageSampling:
    """Times every so manieth Check, and tells how long each of its stages took."""

    __slots__ = ("_left", "_observe", "_one_in")

    def __init__(self, observe: Callable[[str, float], None], *, one_in: int = ONE_IN) -> None:
        """The first Check is timed, and then one in `one_in`.

        Raises:
            ValueError: one in none.
        """
        if one_in < 1:
            raise ValueError("one_in must be at least 1")
        self._observe = observe
        self._one_in = one_in
        self._left = 1

    def __call__(self, _request: RequestContext, /) -> StageTimes:
        """See `pipeline.Timing`."""
        # `_takes`, written out: this is asked on every Check.
        self._left = left = self._left - 1
        if left:
            return UNTIMED
        self._left = self._one_in
        return CheckTimes(self._over)

    def traced(self) -> CheckTimes:
        """Times a Check that somebody else wants to be timed; it is told about only if its turn has come."""
        return CheckTimes(self._over if self._takes() else None)

    def _takes(self) -> bool:
        self._left -= 1
        if self._left:
            return False
        self._left = self._one_in
        return True

    def _over(self, times: CheckTimes) -> None:
        observe = self._observe
        for name, begin, end in times.stages():
            observe(name, end - begin)
