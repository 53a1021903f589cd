"""Every fenced block of the pages is right: it is validated, or run, as what it shows."""

import ast
import json
import re
import tomllib

import pytest
from docs.commands import check_commands, check_console, check_synopsis
from docs.pages import Block, blocks, blocks_of, text
from docs.yaml_kinds import UnknownKindError, validate


def _untold(block: Block) -> None:
    """A block without a language is a synopsis or a transcript of `extauthz`."""
    if block.text.startswith("extauthz "):
        check_synopsis(block)
    elif block.text.startswith("$ "):
        check_console(block)
    else:
        raise UnknownKindError(f"{block}: say its language after the fence, `text` for what is only looked at")


def _balanced(block: Block) -> None:
    """The format of nginx: statements end, and braces match."""
    plain = [line.partition("#")[0].strip() for line in block.text.splitlines()]
    assert all(not line or line[-1] in ";{}" for line in plain), f"{block}: a statement does not end"
    assert block.text.count("{") == block.text.count("}"), f"{block}: braces do not match"


def _known_metrics(block: Block) -> None:
    """Each metric is one of docs/metrics.md, which another test holds to the program."""
    known = set(re.findall(r"^\| `(\w+)`", text("docs/metrics.md"), re.MULTILINE))
    named = set(re.findall(r"\bextauthz_\w+", block.text))
    assert named, f"{block}: no metric of ours"
    unknown = {name for name in named if {name, re.sub(r"_(bucket|sum|count)$", "", name)}.isdisjoint(known)}
    assert not unknown, f"{block}: there is no {', '.join(sorted(unknown))}"


def _printed(_block: Block) -> None:
    """What a program prints: only looked at."""


LANGUAGES = {
    "yaml": validate,
    "sh": check_commands,
    "console": check_console,
    "": _untold,
    "json": lambda block: json.loads(block.text),
    "python": lambda block: ast.parse(block.text),
    "toml": lambda block: tomllib.loads(block.text),
    "nginx": _balanced,
    "promql": _known_metrics,
    "text": _printed,
}


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_block_is_right(block):
    assert block.language in LANGUAGES, f"{block}: nobody checks `{block.language}`; known are {', '.join(LANGUAGES)}"
    LANGUAGES[block.language](block)


def block(language, content, marker=""):
    return Block(page="page.md", line=1, language=language, text=content, marker=marker)


@pytest.mark.parametrize(
    ("language", "content", "marker"),
    [
        ("yaml", "lisen: 127.0.0.1:9191\nlimits: {check_seconds: 1}\n", ""),
        ("yaml", "limits: {check_seconds: -1}\n", ""),
        ("yaml", "apis: [{id: petstore}]\n", ""),
        ("yaml", "image: {registri: registry.example.com}\n", ""),
        ("yaml", "failure_mode_allow: 7\n", ""),
        ("yaml", "anything: 1\n", "other"),
        ("yaml", "cases: [{name: a}]\n", ""),
        ("sh", "extauthz serve --confg extauthz.yaml\n", ""),
        ("sh", "extauthz serve --config extauthz.yaml | unknown-program\n", ""),
        ("sh", "make no-such-target\n", ""),
        ("", "extauthz serve --no-such-option\n", ""),
        ("", "what is this\n", ""),
        ("console", "$ extauthz unknown\n", ""),
        ("json", "{", ""),
        ("python", "def", ""),
        ("nginx", "location / {\n", ""),
        ("promql", "rate(extauthz_no_such_total[5m])\n", ""),
    ],
)
def test_a_wrong_block_is_found(language, content, marker):
    with pytest.raises(Exception):  # noqa: B017 - whatever its checker raises
        LANGUAGES[language](block(language, content, marker))


def test_a_block_of_unknown_kind_fails_with_what_to_do():
    with pytest.raises(UnknownKindError, match=r"page.md:1: .*<!-- block: KIND -->"):
        validate(block("yaml", "nobody: knows\n"))


def test_blocks_are_found_in_lists_and_with_their_markers():
    page = "- a list\n\n  <!-- block: settings -->\n  ```yaml\n  listen: unix:/a\n  ```\n\n```sh\nmake test\n```\n"
    first, second = blocks_of(page, "page.md")
    assert (first.marker, first.text, first.line) == ("settings", "listen: unix:/a\n", 4)
    assert (second.marker, second.language) == ("", "sh")


def test_a_block_that_does_not_end_is_found():
    with pytest.raises(ValueError, match="does not end"):
        blocks_of("```sh\nmake test\n", "page.md")
