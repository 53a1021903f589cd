"""The chart's values.yaml as documentation: what stands above each key, and what `@schema` says about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy/helm/extauthz"
_MARK = "@schema "


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A key of values.yaml."""

    path: tuple[str, ...]
    default: Any
    description: str
    annotated: Mapping[str, Any] | None
    """What `@schema` says; None: the default says it all."""
    children: tuple["Value", ...]
    """Keys below that are documented one by one."""


@cache
def values(text: str) -> tuple[Value, ...]:
    """The keys of a values.yaml in their order."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return tuple(_values(root, text.splitlines(), ()))


def leaves(tree: tuple[Value, ...]) -> Iterator[Value]:
    """The keys that are documented by themselves."""
    for value in tree:
        if value.children:
            yield from leaves(value.children)
        else:
            yield value


def _values(node: yaml.MappingNode, lines: list[str], above: tuple[str, ...]) -> Iterator[Value]:
    for key, content in node.value:
        description, annotated = _comment(lines, key.start_mark.line)
        path = (*above, str(key.value))
        # A map without a word of its own is a section, and its keys are documented instead.
        section = annotated is None and isinstance(content, yaml.MappingNode) and bool(content.value)
        yield Value(
            path=path,
            default=yaml.safe_load(yaml.serialize(content)),
            description=description,
            annotated=annotated,
            children=tuple(_values(content, lines, path)) if section else (),
        )


def _comment(lines: list[str], line: int) -> tuple[str, Mapping[str, Any] | None]:
    """The comment that ends right above a line."""
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    words: list[str] = []
    annotated = None
    for text in (lines[number].lstrip().removeprefix("#").strip() for number in range(first, line)):
        if text.startswith(_MARK):
            annotated = yaml.safe_load(text.removeprefix(_MARK))
        else:
            words.append(text)
    return " ".join(words), annotated
