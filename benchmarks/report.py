"""Figures as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, GoalOn

COLUMNS = ("figure", "value", "unit", "runs from - to", "floor", "ratio", "goal", "met")
_MET = {True: "yes", False: "NO", None: ""}

Sections = Mapping[str, Sequence[Figure]]
"""Figures by section."""


def table(figures: Sequence[Figure]) -> str:
    """One line a figure."""
    rows = [COLUMNS, *(row(figure) for figure in figures)]
    widths = [max(len(each[column]) for each in rows) for column in range(len(COLUMNS))]
    return "\n".join(_line(each, widths) for each in rows)


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of a figure, under COLUMNS."""
    spread = "" if figure.low is None or figure.high is None else f"{_number(figure.low)} - {_number(figure.high)}"
    return (
        figure.name,
        _number(figure.value),
        figure.unit,
        spread,
        _number(figure.floor),
        _number(figure.ratio),
        _goal(figure),
        _MET[figure.met],
    )


def write(sections: Sections, path: Path) -> None:
    """`{"figures": [...]}`, each with its section."""
    members = [_member(section, figure) for section, figures in sections.items() for figure in figures]
    path.write_text(json.dumps({"figures": members}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> dict[str, list[Figure]]:
    """What `write` wrote; nothing where there is no file."""
    members = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else []
    sections: dict[str, list[Figure]] = {}
    for member in members:
        sections.setdefault(member["section"], []).append(_figure(member))
    return sections


def _member(section: str, figure: Figure) -> dict[str, Any]:
    return {"section": section} | asdict(figure) | {"ratio": figure.ratio, "met": figure.met}


def _figure(member: Mapping[str, Any]) -> Figure:
    known = {field.name: member[field.name] for field in fields(Figure)}
    return Figure(**(known | {"goal_on": GoalOn(member["goal_on"])}))


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    comparison = ">=" if figure.at_least else "<="
    return f"{comparison} {figure.goal:g}" + ("x" if figure.goal_on is GoalOn.RATIO else "")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(padded).rstrip()
