"""Figures as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Figure

_HEADER = ("figure", "value", "unit", "floor", "ratio", "goal", "met")
_MET = {True: "yes", False: "NO", None: ""}


def table(figures: Sequence[Figure]) -> str:
    """One line a figure."""
    rows = [_HEADER, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return "\n".join(_line(row, widths) for row in rows)


def write(figures: Sequence[Figure], path: Path) -> None:
    """`{"figures": [...]}`."""
    members = [asdict(figure) | {"ratio": figure.ratio, "met": figure.met} for figure in figures]
    path.write_text(json.dumps({"figures": members}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"<= {figure.goal:g}"
    return (
        figure.name,
        _number(figure.value),
        figure.unit,
        _number(figure.floor),
        _number(figure.ratio),
        goal,
        _MET[figure.met],
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(cells).rstrip()
