"""One measured figure, beside what cannot be beaten and what is to be reached."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    """What the least that would do the same costs, measured in the same run, in the same unit."""
    goal: float | None = None
    """The most that the value may be; None: the figure is for information."""

    @property
    def ratio(self) -> float | None:
        """Value by floor."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None: there is none."""
        return None if self.goal is None else self.value <= self.goal


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
