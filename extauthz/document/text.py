"""YAML text to plain data, by YAML 1.2's core schema, with the line of every value; and back."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from extauthz.document.mistakes import DocumentError, Location, Mistake

MAX_BYTES = 64 * 1024 * 1024
"""Far above any file written by hand; a guard against being pointed at the wrong one."""

_MAX_VALUES = 1_000_000
"""Of a document that has more of them than characters, so by names for what stands elsewhere in it (`*name`)."""

Lines = dict[Location, int]
_ODD_LINE_ENDS = frozenset("\r\x85\u2028\u2029")


class _CoreLoader(yaml.SafeLoader):
    """`off` is a word and not false, `12:30` is no number, a date is text: what the author wrote is what is read."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


class _CoreDumper(yaml.SafeDumper):
    """Quotes what would be no text to us, or to a reader of YAML 1.1; keeps lines as lines."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - nothing is written as "the same as above"
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        # PyYAML lets other line ends stand as they are, and reads them as spaces.
        style = '"' if _ODD_LINE_ENDS.intersection(text) else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_CORE_SCHEMA = (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"(?:[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))", list("-+.")),
)
for _tag, _pattern, _first_characters in _CORE_SCHEMA:
    for _class in (_CoreLoader, _CoreDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^{_pattern}$"), _first_characters)
_CoreDumper.add_representer(str, _CoreDumper.represent_text)


def read(path: Path) -> str:
    """The text of a file.

    Raises:
        DocumentError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DocumentError(str(path), [Mistake(location=(), message=f"larger than {MAX_BYTES} bytes")])
        return content.decode()
    except OSError as error:
        raise DocumentError(str(path), [Mistake(location=(), message=error.strerror or "cannot be read")]) from error
    except UnicodeDecodeError as error:
        raise DocumentError(str(path), [Mistake(location=(), message="is not UTF-8 text")]) from error
    except ValueError as error:  # a NUL in the name
        raise DocumentError(str(path), [Mistake(location=(), message="is not the name of a file")]) from error


def parse(text: str, source: str) -> tuple[Any, Lines, list[Mistake]]:
    """Plain data, the line of each value, and the keys that stand twice (PyYAML would silently take the last).

    Raises:
        DocumentError: it is not YAML.
    """
    try:
        loader = _CoreLoader(text)
    except yaml.YAMLError as error:  # a control character
        raise DocumentError(source, [_syntax_mistake(error)]) from error
    try:
        node = loader.get_single_node()
        lines: Lines = {}
        mistakes: list[Mistake] = []
        left = _Left(values=max(len(text), _MAX_VALUES), characters=max(len(text), MAX_BYTES))
        _walk(node, (), lines, mistakes, left)
        return (loader.construct_document(node) if node is not None else None), lines, mistakes
    except yaml.YAMLError as error:
        raise DocumentError(source, [_syntax_mistake(error)]) from error
    except RecursionError as error:
        raise DocumentError(source, [Mistake(location=(), message="is nested too deeply")]) from error
    except _TooManyValuesError as error:
        raise DocumentError(source, [Mistake(location=(), message="has too many values by aliases")]) from error
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ) as error:  # what PyYAML lets through of e.g. `!!bool maybe`
        raise DocumentError(source, [Mistake(location=(), message="has a value that its tag does not fit")]) from error
    finally:
        loader.dispose()


def written(data: Any) -> str:
    """Plain data as a text that `parse` reads back."""
    text: str = yaml.dump(data, Dumper=_CoreDumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _syntax_mistake(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "is not YAML"
    return Mistake(location=(), message=str(problem), line=mark.line + 1 if mark else None)


class _TooManyValuesError(Exception):
    """A few lines can stand for more values than any memory holds."""


@dataclass(slots=True)
class _Left:
    """What a document may still have. Each visit counts: values in the same place, by a key twice, take time too."""

    values: int
    characters: int

    def take(self, *, values: int = 0, characters: int = 0) -> None:
        self.values -= values
        self.characters -= characters
        if self.values < 0 or self.characters < 0:
            raise _TooManyValuesError


def _walk(node: yaml.Node | None, location: Location, lines: Lines, mistakes: list[Mistake], left: _Left) -> None:
    if node is None:
        return
    left.take(values=1)
    lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        left.take(characters=len(node.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*location, index), lines, mistakes, left)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = _word(key)
            left.take(characters=len(word))
            place = (*location, word)
            if word in seen:
                mistakes.append(Mistake(location=place, message="stands twice", line=key.start_mark.line + 1))
            _walk(value, place, lines, mistakes, left)
            seen.add(word)
            lines[place] = key.start_mark.line + 1


def _word(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key.start_mark)
    word: str = key.value
    return word
