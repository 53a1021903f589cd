"""The page about trouble knows every reason and every code, and quotes what the program says."""

import re

import pytest
from docs.pages import ROOT, text

from extauthz.envoy.refusals import REFUSALS

PAGE = text("docs/troubleshooting.md")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "extauthz").rglob("*.py")))


def section(title):
    assert f"\n## {title}\n" in PAGE, title
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_reason_is_found_under_its_code_with_its_status(reason):
    refusal = REFUSALS[reason]
    told = section(refusal.code)
    assert f"### {reason.value}\n" in told
    assert str(refusal.status) in told.split(f"### {reason.value}\n")[1].split("### ")[0]


def test_there_is_no_other_reason_and_no_other_code():
    assert set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == {reason.value for reason in REFUSALS}
    assert set(re.findall(r"^## (\d+)$", PAGE, re.MULTILINE)) == {refusal.code for refusal in REFUSALS.values()}


def quoted():
    """The details that the tables quote, in the first column of each."""
    tables = re.findall(r"^\| `detail`[^\n]*\n\|---[^\n]*\n((?:\|[^\n]*\n)+)", PAGE, re.MULTILINE)
    cells = [row.split("|")[1] for table in tables for row in table.splitlines()]
    return [double or single for cell in cells for double, single in re.findall(r"``(.+?)``(?!`)|`([^`]+)`", cell)]


@pytest.mark.parametrize("detail", quoted())
def test_a_detail_is_what_the_program_says(detail):
    assert detail.strip() in SOURCES


def test_details_are_quoted():
    assert len(quoted()) > 30
