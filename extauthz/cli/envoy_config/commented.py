"""YAML with comments, and the plain data in it."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from extauthz.document.text import written

_WIDTH = 118


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """A value with the reason for it, which stands above it as a comment."""

    value: Any
    reason: str


def because(reason: str, value: Any) -> Because:
    """`value`, for this reason."""
    return Because(value=value, reason=reason)


def commented(node: dict[str, Any]) -> str:
    """The text of a document; lists and mappings in it are in block style."""
    return "\n".join(_of_mapping(node)) + "\n"


def without_reasons(node: Any) -> Any:
    """The plain data of a document."""
    if isinstance(node, Because):
        return without_reasons(node.value)
    if isinstance(node, dict):
        return {key: without_reasons(value) for key, value in node.items()}
    if isinstance(node, list):
        return [without_reasons(value) for value in node]
    return node


def _of_mapping(node: dict[str, Any]) -> Iterator[str]:
    for key, given in node.items():
        reason, value = _taken(given)
        yield from _comment(reason)
        if isinstance(value, dict) and value:
            yield _key(key)
            yield from _indented(_of_mapping(value))
        elif isinstance(value, list) and value:
            yield _key(key)
            yield from _indented(_of_list(value))
        else:
            yield from _text({key: value})


def _of_list(node: list[Any]) -> Iterator[str]:
    for given in node:
        reason, value = _taken(given)
        yield from _comment(reason)
        if isinstance(value, dict) and value:
            lines = list(_of_mapping(value))
            begin = next(index for index, line in enumerate(lines) if not line.startswith("#"))
            yield from lines[:begin]  # a comment between the dash and the first key would be hard to read
            yield f"- {lines[begin]}"
            yield from _indented(iter(lines[begin + 1 :]))
        else:
            yield from _text([value])


def _taken(given: Any) -> tuple[str, Any]:
    return (given.reason, given.value) if isinstance(given, Because) else ("", given)


def _key(key: str) -> str:
    return written({key: 0}).rstrip("\n").removesuffix(" 0")


def _text(data: Any) -> list[str]:
    # A long value, or one of several lines, is written on several.
    return written(data).rstrip("\n").split("\n")


def _comment(reason: str) -> Iterator[str]:
    # The deepest line has 24 columns before it.
    yield from (f"# {line}" for line in textwrap.wrap(reason, _WIDTH - 24))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines)
