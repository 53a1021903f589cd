"""Metrics as they are shown, and as `docs/metrics.md` has them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
_OF_HISTOGRAMS = {"le"}


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels by name."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def shown_types(page: str) -> dict[str, str]:
    """Types by name, in the text form; also of what has no value now."""
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))


def shown_labels(page: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The labels of each sample, by the name of its metric."""
    for family in text_string_to_metric_families(page):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        for sample in family.samples:
            yield name, frozenset(sample.labels) - _OF_HISTOGRAMS


def samples(page: str) -> dict[Any, float]:
    """Values by `(name, (label, value), ...)`, labels in their alphabetical order."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
