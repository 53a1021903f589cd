"""YAML that says of each value where it comes from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*")
_WORDS = frozenset({"true", "false", "null"})
_WIDTH = 1_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and the key of the Microgateway that says so."""

    value: Any
    source: str


def yaml_text(document: Mapping[str, Any]) -> str:
    """The document in block style; what is None is left out."""
    return "".join(f"{line}\n" for line in _mapping(document, ""))


def plain(value: Any) -> Any:
    """The same without sources."""
    match value:
        case Said():
            return plain(value.value)
        case Mapping():
            said = {name: plain(inner) for name, inner in value.items()}
            return {name: inner for name, inner in said.items() if inner is not None}
        case str():
            return value
        case Sequence():
            return [plain(inner) for inner in value]
        case _:
            return value


def _mapping(document: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, given in document.items():
        value, comment = (given.value, f"  # {given.source}") if isinstance(given, Said) else (given, "")
        if value is None:
            continue
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_scalar(name)}:{comment}"
            yield from _mapping(value, f"{indent}  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield f"{indent}{_scalar(name)}:{comment}"
            for item in value:
                lines = list(_mapping(item, f"{indent}    "))
                yield f"{indent}  - {lines[0].lstrip()}"
                yield from lines[1:]
        else:
            yield f"{indent}{_scalar(name)}: {_flow(value)}{comment}"


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    return "{}" if value == {} else _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    quoted: str = yaml.safe_dump(value, default_style='"', width=_WIDTH)
    return quoted.rstrip("\n")
