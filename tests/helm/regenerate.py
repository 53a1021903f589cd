"""Writes what is made from other files: values.schema.json and README.md of the chart, and the golden renders.

`cd tests && ../.venv/bin/python -m helm.regenerate`; then look at the difference before you commit it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml
from helm.chart_readme import chart_readme
from helm.rendering import GOLDEN, golden, golden_file
from helm.values_file import CHART
from helm.values_schema import values_schema


def chart_files() -> Mapping[Path, str]:
    """Those of the chart that are generated."""
    values_yaml, renamed, template, chart = (
        (CHART / name).read_text(encoding="utf-8")
        for name in ("values.yaml", "files/renamed-values.yaml", "README.template.md", "Chart.yaml")
    )
    schema = json.dumps(values_schema(values_yaml, renamed), indent=1, sort_keys=True) + "\n"
    return {
        CHART / "values.schema.json": schema,
        CHART / "README.md": chart_readme(template, values_yaml, yaml.safe_load(chart)),
    }


def main() -> int:
    """Writes them all."""
    for path, text in chart_files().items():
        path.write_text(text, encoding="utf-8")
    for name in GOLDEN:
        golden_file(name).write_text(golden(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
