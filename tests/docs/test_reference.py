"""The generated reference is that of the program, and says something about every key."""

import re

import pytest
from docs.pages import ROOT
from typer.testing import CliRunner

from extauthz.cli.application import application
from extauthz.cli.config.reference_page import reference_page

PAGES = {"docs/settings-reference.md": [], "docs/catalog-reference.md": ["--catalog"]}


@pytest.fixture(params=PAGES)
def page(request):
    return request.param


def printed(page):
    result = CliRunner().invoke(application, ["config", "reference", *PAGES[page]])
    assert result.exit_code == 0
    return result.stdout


def test_what_is_committed_is_what_is_generated(page):
    """If this fails: `extauthz config reference > docs/settings-reference.md`, with --catalog for the other."""
    assert (ROOT / page).read_text(encoding="utf-8") == printed(page)


def test_every_key_has_a_meaning(page):
    """If this fails: write a docstring below the key in its class."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", printed(page), re.MULTILINE)
    assert len(rows) > 60
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_headings_are_told_apart(page):
    headings = re.findall(r"^## (.+)$", printed(page), re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading.lower()) for heading in headings]
    assert len(set(anchors)) == len(anchors)


def test_a_schema_becomes_a_page():
    schema = {
        "description": "A file.",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "description": "In\nmetres."},
            "mood": {"anyOf": [{"enum": ["good", "bad"], "type": "string"}, {"type": "null"}], "default": None},
            "name": {"type": "string", "pattern": "a|b", "default": "a"},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
            "words": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 9}},
        },
        "$defs": {
            "Part": {
                "description": "A part.",
                "properties": {"inner": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]}},
            }
        },
    }
    page = reference_page(schema, title="Title", introduction="First.")
    assert page.startswith("# Title\n\nFirst.\n\n## The file\n\nA file.\n")
    assert "| `size` | integer, from 1 | required | In metres. |" in page
    assert "| `mood` | `good` or `bad` |  |  |" in page
    assert r"| `name` | text that matches `a\|b` | `a` |  |" in page
    assert "| `parts` | list of [parts[]](#parts), at least 2 |  |  |" in page
    assert "| `words` | names to text, at most 9 characters |  |  |" in page
    assert "## parts[]\n\nA part. Also at `parts[].inner`." in page
    assert "| `inner` | [parts[]](#parts) |  | A part. |" in page
