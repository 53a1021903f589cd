import re
from pathlib import Path

from extauthz.cli.check.meanings import MEANINGS
from extauthz.model.errors import Reason


def plain(text):
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").strip()


def test_every_reason_means_what_the_page_of_refusals_says():
    page = (Path(__file__).parents[4] / "docs/refusals.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| \d+ \| \d+ \|[^|]*\|([^|]*)\|$", page, re.MULTILINE)
    assert {Reason(reason): plain(when) for reason, when in rows} == MEANINGS
