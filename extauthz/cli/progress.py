"""How far long work has come: a bar on a terminal, and nothing anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Work:
    """One thing after another; each may know how much of it there is."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def begin(self, what: str) -> None:
        """The next thing begins; how much of it there is, is not known yet."""
        self._bars.reset(self._task, description=what, total=None)
        self._bars.refresh()  # now: what comes may leave no time for it

    def come(self, done: int, total: int) -> None:
        """So many are done, of so many."""
        self._bars.update(self._task, completed=done, total=total)


@contextmanager
def working(console: Console | None = None, *, shown: bool = True) -> Iterator[Work]:
    """Shows work on standard error while it lasts; what is shown is gone afterwards.

    With `shown` false nothing is: a program reads what is printed.
    """
    console = console or Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    columns_of_time = (MofNCompleteColumn(), TimeElapsedColumn())
    disabled = not (shown and console.is_terminal)
    with Progress(*columns, *columns_of_time, console=console, transient=True, disable=disabled) as bars:
        yield Work(bars, bars.add_task("", total=None))
