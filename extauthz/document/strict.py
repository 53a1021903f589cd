"""Plain data to a checked document: all mistakes at once."""

import contextlib
import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    field_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from extauthz.document.descriptions import descriptions
from extauthz.document.fields import description, known_keys
from extauthz.document.mistakes import DocumentError, Location, Mistake
from extauthz.document.text import Lines, parse, read

DocumentT = TypeVar("DocumentT", bound="Strict")


class Strict(BaseModel):
    """A part of a document: unknown keys and values of the wrong type are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    cross_checks: ClassVar[tuple["CrossCheck", ...]] = ()
    """Of a whole document: what must hold between its sections."""

    def contradictions(self) -> Iterator[Mistake]:
        """What is wrong between values that are right one by one; locations are relative to this part."""
        yield from ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A JSON Schema says what each key is for."""
        written = handler(core_schema)
        properties = handler.resolve_ref_schema(written).get("properties", {})
        for name, words in descriptions(cls).items():
            properties[name]["description"] = words
        return written

    @field_serializer("*", mode="wrap", when_used="json")
    def _in_order(self, value: object, serialize: SerializerFunctionWrapHandler) -> object:
        # A set has no order of its own, and another one in each process: nobody could compare what was written.
        written = serialize(value)
        return sorted(written) if isinstance(value, frozenset) else written

    @model_validator(mode="after")
    def _raise_contradictions(self) -> Self:
        # Inside pydantic's own walk, so that a mistake elsewhere in the file does not hide these.
        if mistakes := tuple(self.contradictions()):
            raise PydanticCustomError(_CONTRADICTIONS, "contradictions", {"mistakes": mistakes})
        return self


_CONTRADICTIONS = "contradictions"
_NOT_PLAIN = "holds a value that is not plain data"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """A rule between sections of a document; it is tried when each section that it needs is right by itself."""

    needs: tuple[str, ...]
    find: Callable[..., Iterable[Mistake]]
    """Called with the sections in the order of `needs`."""


def load(path: Path, document: type[DocumentT]) -> DocumentT:
    """Reads, parses and checks a file.

    Raises:
        DocumentError: with every mistake that was found.
    """
    return loads(read(path), document, str(path))


def loads(text: str, document: type[DocumentT], source: str) -> DocumentT:
    """Parses and checks a text; `source` names it in the report.

    Raises:
        DocumentError: with every mistake that was found.
    """
    data, lines, mistakes = parse(text, source)
    if not isinstance(data, dict):
        raise DocumentError(source, [Mistake(location=(), message="must be a mapping of keys to values")])
    checked: DocumentT | None = None
    try:
        # By way of JSON, strict mode takes a list for a tuple and a word for an enum, yet never "1" for 1.
        checked = document.model_validate_json(json.dumps(data))
        sections = {name: getattr(checked, name) for name in document.model_fields}
    except ValidationError as error:
        mistakes += [mistake for e in _true_errors(error) for mistake in _mistakes(e, document)]
        sections = _right_sections(data, document)
    except (TypeError, ValueError, RecursionError) as error:
        odd = list(_not_plain(data, ())) if isinstance(error, TypeError) else []
        mistakes += odd or [Mistake(location=(), message=_NOT_PLAIN)]
        raise DocumentError(source, [replace(m, line=_line(m.location, lines)) for m in mistakes]) from error
    for check in document.cross_checks:
        if all(need in sections for need in check.needs):
            mistakes += check.find(*(sections[need] for need in check.needs))
    if checked is None or mistakes:
        raise DocumentError(source, [replace(m, line=_line(m.location, lines)) for m in mistakes])
    return checked


def refusal(text: str, source: str, mistakes: Iterable[Mistake]) -> DocumentError:
    """The report on a document that was right by itself until it was put to use; tells the lines as `loads` does."""
    _, lines, _ = parse(text, source)
    return DocumentError(source, [replace(m, line=_line(m.location, lines)) for m in mistakes])


def _not_plain(value: Any, location: Location) -> Iterator[Mistake]:
    """What a tag made of a value that JSON has not, e.g. `!!binary` or `!!set`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_plain(inner, (*location, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _not_plain(inner, (*location, index))
    elif not isinstance(value, str | int | float | None):
        yield Mistake(location=location, message=_NOT_PLAIN)


def _right_sections(data: dict[str, Any], document: type[Strict]) -> dict[str, Any]:
    """The sections of a faulty document that are right by themselves."""
    sections = {}
    for name, field in document.model_fields.items():
        if name not in data:
            if not field.is_required():
                sections[name] = field.get_default(call_default_factory=True, validated_data={})
            continue
        with contextlib.suppress(ValidationError):
            sections[name] = TypeAdapter(field.rebuild_annotation()).validate_json(json.dumps(data[name]), strict=True)
    return sections


def _line(location: Location, lines: Lines) -> int | None:
    """The line of a place, or of the nearest thing around it (a missing key has no line of its own)."""
    for length in range(len(location), 0, -1):
        if location[:length] in lines:
            return lines[location[:length]]
    return None


def _true_errors(error: ValidationError) -> list[ErrorDetails]:
    """Without those of lists that pydantic finds too short only because it leaves out the items that are wrong."""
    details = error.errors()
    faulty = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in faulty]


def _mistakes(error: Any, document: type[BaseModel]) -> Iterator[Mistake]:
    location: Location = tuple(error["loc"])
    if error["type"] == _CONTRADICTIONS:
        for mistake in error["ctx"]["mistakes"]:
            place = (*location, *mistake.location)
            yield replace(mistake, location=place, hint=mistake.hint or description(document, place))
        return
    messages = {"missing": "is missing", "extra_forbidden": "is not known here"}
    message = messages.get(error["type"], error["msg"].removeprefix("Value error, "))
    if error["type"] == "extra_forbidden":
        hint = _unknown_key_hint(str(location[-1]), known_keys(document, location[:-1]))
    else:
        hint = "; ".join(filter(None, [_hint(error), description(document, location)]))
    yield Mistake(location=location, message=message, hint=hint)


def _unknown_key_hint(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}" if known else ""


def _hint(error: Any) -> str:
    given = error.get("input")
    if error["type"] in {"string_type", "int_type", "bool_type", "float_type"} and isinstance(given, str | int | float):
        wanted = error["type"].removesuffix("_type")
        return f"write {'it in quotes' if wanted == 'string' else f'a plain {wanted}, without quotes'}"
    if error["type"] in {"frozen_set_type", "tuple_type", "list_type"} and isinstance(given, str):
        return "write a list: [one, two]"
    return ""
