"""`python -m benchmarks [--section NAME]`: measures, prints a table, writes JSON and `docs/performance.md`."""

import argparse
import asyncio
import importlib
import importlib.util
import logging
import subprocess
import sys
from pathlib import Path

import structlog
import uvloop

from benchmarks.figure import Figure
from benchmarks.h2load import ensure_installed
from benchmarks.performance_page import regenerate, with_machine
from benchmarks.report import read, table, write

_SECTIONS = ("handler", "grpc", "envoy", "growth", "workers", "tokens", "catalog")
"""Each is a package or module here with `async def figures() -> list[Figure]`."""
_WITH_LOAD = {"grpc", "envoy", "growth", "workers"}
_RESULTS = Path(__file__).with_name("results.json")
_PAGE = Path(__file__).parents[1] / "docs/performance.md"
_SECONDS = 900
"""For one section: a benchmark that hangs is an answer too."""
_EXIT_MISSED = 1
_EXIT_NOT_THERE = 2


def main() -> int:
    """0: measured; 1: a section failed or, with `--goals`, a goal is missed; 2: there is no such section yet."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--section", choices=_SECTIONS, help="only this one")
    parser.add_argument("--goals", action="store_true", help="exit with 1 if a goal is missed")
    arguments = parser.parse_args()
    measured = (arguments.section,) if arguments.section else tuple(filter(_is_there, _SECTIONS))
    if _WITH_LOAD.intersection(measured):
        ensure_installed()
    if not _is_there(measured[0]):
        print(f"section {measured[0]}: not there yet", file=sys.stderr)
        return _EXIT_NOT_THERE
    failed = []
    if arguments.section:
        _keep(arguments.section, _measured(arguments.section))
    else:
        failed = [section for section in measured if not _measured_apart(section)]
    sections = read(_RESULTS)
    figures = [figure for name in measured for figure in sections.get(name, [])]
    print(table(figures))
    if failed:
        print(f"failed: {', '.join(failed)}; their figures are of an earlier run", file=sys.stderr)
    missed = any(figure.met is False for figure in figures)
    return _EXIT_MISSED if failed or (missed and arguments.goals) else 0


def _is_there(section: str) -> bool:
    return importlib.util.find_spec(f"benchmarks.{section}") is not None


def _measured(section: str) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    measure = importlib.import_module(f"benchmarks.{section}").figures
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures: list[Figure] = runner.run(asyncio.wait_for(measure(), _SECONDS))
    return figures


def _measured_apart(section: str) -> bool:
    """In a process of its own, so that it finds nothing that another has left in memory; whether it succeeded."""
    print(f"== {section}", flush=True)
    ended = subprocess.run((sys.executable, "-m", "benchmarks", "--section", section), check=False)  # noqa: S603 - ourselves
    return ended.returncode == 0


def _keep(section: str, figures: list[Figure]) -> None:
    """In place of what was measured before; the figures of other sections stay."""
    sections = {**read(_RESULTS), section: figures}
    in_order = {name: sections[name] for name in _SECTIONS if name in sections}
    write(in_order, _RESULTS)
    if _PAGE.exists():
        page = regenerate(_PAGE.read_text(encoding="utf-8"), in_order)
        _PAGE.write_text(with_machine(page), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
