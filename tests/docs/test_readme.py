"""What the README shows of the demo is what the demo shows."""

import re

from docs.pages import text

from extauthz.cli.demo.scenario import ROWS

SHOWN = re.compile(
    r"^ ✓  (?P<shows>.+?) {2,}(?P<method>[A-Z]+) (?P<path>\S+) +(?P<status>\d+) +(?P<code>\d+)?", re.MULTILINE
)


def test_the_rows_of_the_demo_are_rows_of_the_demo():
    rows = {(row.shows, row.method, row.path, row.status, row.code) for row in ROWS}
    shown = {
        (found["shows"], found["method"], found["path"], int(found["status"]), found["code"])
        for found in SHOWN.finditer(text("README.md"))
    }
    assert len(shown) > 5
    assert shown <= rows
