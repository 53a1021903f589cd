"""`python -m benchmarks --section NAME`: measures, prints a table, writes `benchmarks/results.json`."""

import argparse
import asyncio
import importlib
import importlib.util
import logging
import sys
from pathlib import Path

import structlog
import uvloop

from benchmarks.report import table, write

_SECTIONS = ("tokens", "handler", "grpc", "envoy", "growth", "catalog")
"""Each is a package or module here with `async def figures() -> list[Figure]`."""
_RESULTS = Path(__file__).with_name("results.json")
_SECONDS = 600
"""For everything: a benchmark that hangs is an answer too."""
_EXIT_MISSED = 1
_EXIT_NOT_THERE = 2


def main() -> int:
    """0: measured; 1: with `--goals`, a goal is missed; 2: there is no such section yet."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--section", required=True, choices=_SECTIONS)
    parser.add_argument("--goals", action="store_true", help="exit with 1 if a goal is missed")
    arguments = parser.parse_args()
    name = f"benchmarks.{arguments.section}"
    if importlib.util.find_spec(name) is None:
        print(f"section {arguments.section}: not there yet", file=sys.stderr)
        return _EXIT_NOT_THERE
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    measure = importlib.import_module(name).figures
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(asyncio.wait_for(measure(), _SECONDS))
    print(table(figures))
    write(figures, _RESULTS)
    missed = any(figure.met is False for figure in figures)
    return _EXIT_MISSED if missed and arguments.goals else 0


if __name__ == "__main__":
    sys.exit(main())
