"""Which core serves and which one makes the load, so that neither takes time from the other."""

import os

_CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = _CORES[0], _CORES[-1]
"""The same one where there is only one; then no figure of a section with a socket means much."""
EVERY = ",".join(map(str, _CORES))


def on_core(core: int | str, *argv: str) -> tuple[str, ...]:
    """A command line that runs on one core (or a list of them), with all of its threads."""
    return ("taskset", "--cpu-list", str(core), *argv)


def use(core: int) -> None:
    """This process, and the threads that it will start, on one core from now on."""
    os.sched_setaffinity(0, {core})
