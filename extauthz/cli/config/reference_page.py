"""A file's JSON Schema as a page to read: a section for each part, a row for each key."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_COLUMNS = "| key | type | default | meaning |\n|---|---|---|---|"
_NOT_IN_AN_ANCHOR = re.compile(r"[^\w -]")
_LENGTH_THAT_SAYS_NOTHING = 1024
"""Bounds of text from here on keep out nonsense only; a reader has no use for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A mapping of keys, and where in the file it may stand."""

    name: str
    places: tuple[str, ...]
    schema: Schema


def reference_page(schema: Schema, *, title: str, introduction: str) -> str:
    """The page, in Markdown: parts in the order in which a reader of the file meets them."""
    parts = _parts(schema)
    anchors = {part.name: _heading(part) for part in parts}
    sections = [_section(part, anchors, schema) for part in parts]
    return "\n".join([f"# {title}", "", introduction, "", *sections]).rstrip() + "\n"


def _parts(schema: Schema) -> list[_Part]:
    places: dict[str, list[str]] = {}
    for name, place in _named("", "", schema, schema["$defs"], frozenset()):
        places.setdefault(name, []).append(place)
    return [_Part(name=name, places=tuple(at), schema=schema["$defs"].get(name, schema)) for name, at in places.items()]


def _named(name: str, place: str, schema: Schema, known: Schema, above: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every part with each of its places, depth first; one that holds itself is not entered twice."""
    yield name, place
    if name in above:
        return
    for key, value in schema["properties"].items():
        inner = f"{place}.{key}" if place else key
        for part, suffix in _referred(value, known):
            yield from _named(part, inner + suffix, known[part], known, above | {name})


def _referred(value: Schema, known: Schema, suffix: str = "") -> Iterator[tuple[str, str]]:
    """The parts that a value is made of, with `[]` for those in a list and `.*` for those under names."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        if "properties" in known[name]:
            yield name, suffix
    for each in value.get("anyOf", ()):
        yield from _referred(each, known, suffix)
    if "items" in value:
        yield from _referred(value["items"], known, suffix + "[]")
    for inner in _under_names(value):
        yield from _referred(inner, known, suffix + ".*")


def _under_names(value: Schema) -> list[Schema]:
    additional = value.get("additionalProperties")
    return [*value.get("patternProperties", {}).values(), *([additional] if isinstance(additional, dict) else [])]


def _heading(part: _Part) -> str:
    return part.places[0] or "The file"


def _anchor(heading: str) -> str:
    return _NOT_IN_AN_ANCHOR.sub("", heading.lower()).replace(" ", "-")


def _section(part: _Part, anchors: dict[str, str], schema: Schema) -> str:
    required = part.schema.get("required", [])
    rows = [
        f"| `{key}` | {_type(value, anchors, schema)} | {_default(value, required=key in required)} "
        f"| {_cell(_meaning(value, schema))} |"
        for key, value in part.schema["properties"].items()
    ]
    also = f" Also at {', '.join(f'`{place}`' for place in part.places[1:])}." if len(part.places) > 1 else ""
    said = _one_line(part.schema.get("description", ""))
    return "\n".join([f"## {_heading(part)}", "", said + also, "", _COLUMNS, *rows, ""])


def _meaning(value: Schema, schema: Schema) -> str:
    """What its class says of a key, or what its part says of itself."""
    if "description" in value:
        return _one_line(value["description"])
    names = [each["$ref"].rpartition("/")[2] for each in (value, *value.get("anyOf", ())) if "$ref" in each]
    return _one_line(" ".join(schema["$defs"][name].get("description", "") for name in names))


def _default(value: Schema, *, required: bool) -> str:
    if required:
        return "required"
    default = value.get("default")
    # Parts that are left out have the defaults of their own keys.
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{_cell(_written(default))}`"


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _type(value: Schema, anchors: dict[str, str], schema: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        heading = anchors.get(name)
        return f"[{heading}](#{_anchor(heading)})" if heading else _type(schema["$defs"][name], anchors, schema)
    if "anyOf" in value:
        return " or ".join(_type(each, anchors, schema) for each in value["anyOf"] if each != {"type": "null"})
    if "enum" in value:
        return " or ".join(f"`{each}`" for each in value["enum"])
    return _plain_type(value, lambda inner: _type(inner, anchors, schema))


def _plain_type(value: Schema, of: Callable[[Schema], str]) -> str:
    """The type of what is neither a part nor a choice; `of` tells that of something inside."""
    kind = value.get("type")
    if kind == "array":
        return f"list of {of(value['items'])}{_between(value.get('minItems'), value.get('maxItems'))}"
    if kind == "object":
        return f"names to {' or '.join(map(of, _under_names(value))) or 'anything'}"
    if kind == "string":
        return f"text{_text_bounds(value)}"
    if kind in {"integer", "number"}:
        return f"{kind}{_number_bounds(value)}"
    return "`true` or `false`" if kind == "boolean" else "anything"


def _text_bounds(value: Schema) -> str:
    if "pattern" in value:
        return f" that matches `{_cell(value['pattern'])}`"
    longest = value.get("maxLength")
    bounds = _between(None, longest if longest and longest < _LENGTH_THAT_SAYS_NOTHING else None)
    return f"{bounds} characters" if bounds else ""


def _number_bounds(value: Schema) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    said = [f"{word} {value[key]:,}" for key, word in words.items() if key in value]
    return f", {' '.join(said)}" if said else ""


def _between(least: int | None, most: int | None) -> str:
    said = ([f"at least {least}"] if least else []) + ([f"at most {most:,}"] if most else [])
    return f", {', '.join(said)}" if said else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    # GitHub's tables: a pipe ends a cell even within a code span.
    return text.replace("|", r"\|")
