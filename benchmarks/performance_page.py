"""`docs/performance.md`: the tables are made anew, the prose around them stays."""

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.report import COLUMNS, Sections, row

_LIBRARIES = ("grpcio", "protobuf", "uvloop", "PyJWT", "cryptography", "redis")
_CPU = re.compile(r"^model name\s*: (.*)$", re.MULTILINE)


def regenerate(page: str, sections: Sections) -> str:
    """The page with the figures of each section that it has a place for.

    A place is what stands between `<!-- figures: NAME -->` and `<!-- end -->`.
    """
    for name, figures in sections.items():
        page = _replaced(page, f"figures: {name}", _rows(figures))
    return page


def with_machine(page: str) -> str:
    """The page with the machine that this is."""
    return _replaced(page, "machine", _machine())


def _replaced(page: str, place: str, content: str) -> str:
    begin, end = f"<!-- {place} -->\n", "<!-- end -->"
    before, found, after = page.partition(begin)
    return f"{before}{begin}{content}{end}{after.partition(end)[2]}" if found else page


def _rows(figures: Sequence[Figure]) -> str:
    rule = ("---", *("---:" for _ in COLUMNS[1:]))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, rule, *map(row, figures)))


def _machine() -> str:
    described = Path("/proc/cpuinfo")
    model = _CPU.search(described.read_text(encoding="utf-8")) if described.exists() else None
    processor = model[1] if model else platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"{os.cpu_count()} cores of {processor}; Python {platform.python_version()}, {libraries}.\n"
