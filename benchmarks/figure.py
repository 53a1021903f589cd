"""One measured figure, beside what cannot be beaten and what is to be reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class GoalOn(StrEnum):
    """What a goal is about."""

    VALUE = "value"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    """What the least that would do the same costs, measured in the same run, in the same unit."""
    goal: float | None = None
    """The most (or the least, see `at_least`) that the value may be; None: the figure is for information."""
    goal_on: GoalOn = GoalOn.VALUE
    """Whether the goal is for the value or for the ratio."""
    at_least: bool = False
    """Whether the goal is the least that is allowed, not the most."""
    low: float | None = None
    """The lowest of the runs whose median the value is; None: there was one run."""
    high: float | None = None
    """The highest of them."""
    runs: int = 1

    @property
    def ratio(self) -> float | None:
        """Value by floor."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None: there is none."""
        measured = self.ratio if self.goal_on is GoalOn.RATIO else self.value
        if self.goal is None or measured is None:
            return None
        return measured >= self.goal if self.at_least else measured <= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The same measured several times, beside its floor each time."""

    values: tuple[float, ...]
    floors: tuple[float, ...] = ()

    def figure(
        self, name: str, unit: str, *, goal: float | None = None, goal_on: GoalOn = GoalOn.RATIO, at_least: bool = False
    ) -> Figure:
        """The medians; the goal is on the ratio unless told otherwise."""
        return Figure(
            name=name,
            value=statistics.median(self.values),
            unit=unit,
            floor=statistics.median(self.floors) if self.floors else None,
            goal=goal,
            goal_on=goal_on,
            at_least=at_least,
            low=min(self.values),
            high=max(self.values),
            runs=len(self.values),
        )


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
