"""JSON objects that every reader reads alike (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4)."""

import json
import math
from typing import Any

MAX_DEPTH = 32
"""Levels of nesting: far above any claim, far below what exhausts the stack of a later reader."""


class AmbiguousJson(ValueError):  # noqa: N818 - names the fault of a document
    """JSON that readers understand differently, or that is made to exhaust them."""


def parse_object(document: bytes) -> dict[str, Any]:
    """The JSON object of a UTF-8 document.

    Raises:
        AmbiguousJson: duplicate names, numbers that are not finite or far too long, deep nesting, lone surrogates.
        ValueError: not UTF-8, not JSON, or not an object.
    """
    value = _value(document)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a bad document, not a bad type
    if _brackets(document) > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise AmbiguousJson(f"nested deeper than {MAX_DEPTH} levels")
    if b"\\u" in document:
        _refuse_lone_surrogates(value)
    return value


def _value(document: bytes) -> Any:
    try:
        return _DECODER.decode(document.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise
    except ValueError as exc:
        # From the hooks below, or from int(): Python converts no more than 4300 digits.
        raise AmbiguousJson("duplicate names or an unusable number") from exc
    except RecursionError as exc:
        raise AmbiguousJson("nested too deeply") from exc


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    # RFC 7519 §4: duplicate names are refused; "the last one wins" lets two readers see two tokens.
    if len(value) != len(members):
        raise ValueError("duplicate names")
    return value


def _finite(text: str) -> float:
    number = float(text)
    # `1e999` is JSON, but its float is infinite.
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _refuse_constant(name: str) -> float:
    # RFC 8259 §6: NaN and Infinity are no JSON, though Python's reader takes them.
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant)


def _brackets(document: bytes) -> int:
    return document.count(b"{") + document.count(b"[")


def _deeper_than(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [child for container in level for child in _containers_in(container)]
        if not level:
            return False
    return True


def _containers_in(container: dict[str, Any] | list[Any]) -> list[Any]:
    members = container.values() if isinstance(container, dict) else container
    return [member for member in members if isinstance(member, dict | list)]


def _refuse_lone_surrogates(value: dict[str, Any]) -> None:
    """RFC 8259 §8.2: such a string has no UTF-8 form, so every later encoder would fail on it."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise AmbiguousJson("a lone surrogate") from exc
