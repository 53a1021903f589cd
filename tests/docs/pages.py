"""The pages of the documentation, and the fenced blocks in them."""

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)\s*$")
_MARKER = re.compile(r"^\s*<!-- block: (?P<words>.+) -->$")
_LIKE_A_FENCE = re.compile(r"```|~~~")
_LIKE_A_BLOCK = re.compile(r" {4,}\S| *\t|\s*>|\s*<(?!!--)", re.IGNORECASE)
"""Other ways to make a block: by indentation, in a quotation, in HTML."""
_DOUBLE = re.compile(r"(?<!`)``(?!`).+?(?<!`)``(?!`)", re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What stands between two fences."""

    page: str
    """Relative to the root of the repository."""
    line: int
    language: str
    text: str
    marker: str
    """What `<!-- block: ... -->` in the line before says; empty: there is none."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def pages() -> tuple[str, ...]:
    """README.md and everything in docs/."""
    return ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))


@cache
def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks() -> tuple[Block, ...]:
    """The blocks of all pages."""
    return tuple(block for page in pages() for block in blocks_of(text(page), page))


def blocks_of(content: str, page: str) -> list[Block]:
    """The blocks of a page.

    Raises:
        ValueError: a block does not end, or something looks like one and cannot be read as one.
    """
    lines, found, number = content.split("\n"), [], 0
    while number < len(lines):
        begin = _FENCE.match(lines[number])
        number += 1
        if begin is None:
            if _LIKE_A_FENCE.search(lines[number - 1]) or _LIKE_A_BLOCK.match(lines[number - 1]):
                raise ValueError(f"{page}:{number}: write blocks between ``` and ```, with one word for the language")
            continue
        first = number
        while number < len(lines) and lines[number].strip() != "```":
            number += 1
        if number == len(lines):
            raise ValueError(f"{page}:{first}: the block does not end")
        marker = _MARKER.match(lines[first - 2]) if first > 1 else None
        found.append(
            Block(
                page=page,
                line=first,
                language=begin["language"],
                text=textwrap.dedent("\n".join(lines[first:number]) + "\n"),
                marker=marker["words"] if marker else "",
            )
        )
        number += 1
    return found


def without_blocks(content: str) -> str:
    """The prose of a page."""
    return re.sub(r"^ *```.*?^ *```\s*$", "", content, flags=re.MULTILINE | re.DOTALL)


def inline_code(content: str) -> list[str]:
    """What stands between single backticks in the prose of a page, in one line each."""
    return [" ".join(found.split()) for found in _INLINE.findall(_DOUBLE.sub("", without_blocks(content)))]
