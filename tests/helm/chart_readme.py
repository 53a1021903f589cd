"""The chart's README: a template, and a table made from values.yaml."""

import json
from typing import Any

from helm.values_file import Value, leaves, values

_SHORT = 60


def chart_readme(template: str, values_yaml: str, chart: dict[str, Any]) -> str:
    """README.md of the chart."""
    filled = template.replace("{{values}}", _table(values(values_yaml)))
    for key in ("version", "appVersion", "kubeVersion", "description"):
        filled = filled.replace(f"{{{{{key}}}}}", chart[key])
    return filled


def _table(tree: tuple[Value, ...]) -> str:
    rows = [f"| `{'.'.join(value.path)}` | {_default(value.default)} | {_cell(value)} |" for value in leaves(tree)]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])


def _default(default: Any) -> str:
    text = json.dumps(default)
    return f"`{text}`" if len(text) <= _SHORT else "see values.yaml"


def _cell(value: Value) -> str:
    return value.description.replace("|", "\\|")
