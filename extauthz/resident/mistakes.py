"""Validation errors in words: where, what, and how to put it right."""

import difflib
import typing
from collections.abc import Iterable

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from extauthz.resident.document import Mistake

_Location = tuple[int | str, ...]


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """Every mistake that a validation found; the hint is the description of the field."""
    details = error.errors(include_url=False, include_input=False)
    return [_mistake(detail, model) for detail in details]


def _mistake(detail: ErrorDetails, model: type[BaseModel]) -> Mistake:
    location = tuple(step for step in detail["loc"] if not _is_marker(step))
    return Mistake(place=_place(location), message=_message(detail), hint=_hint(detail["type"], location, model))


def _message(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "value_error":
            return str(detail.get("ctx", {}).get("error", detail["msg"]))
        case "extra_forbidden":
            return "is not a known key"
        case "missing":
            return "is missing"
        case "string_pattern_mismatch":
            return "has letters that are not allowed here, or is empty or too long"
        case "model_type":
            return "must be a mapping"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def _hint(kind: str, location: _Location, model: type[BaseModel]) -> str:
    holder, name = _holder(location, model)
    if kind == "extra_forbidden":
        return _near(str(location[-1]), holder.model_fields)
    field = holder.model_fields.get(name)
    return (field.description or "") if field else ""


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(names)}"


def _holder(location: _Location, model: type[BaseModel]) -> tuple[type[BaseModel], str]:
    """The innermost model on the way to a place, and the name of its field there."""
    holder, name = model, ""
    for step in location:
        if isinstance(step, str) and (nested := _nested(holder, name)):
            holder, name = nested, step
        elif isinstance(step, str) and not name:
            name = step
    return holder, name


def _nested(holder: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = holder.model_fields.get(name)
    inner = typing.get_args(field.annotation) if field else ()
    return next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _place(location: _Location) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _is_marker(step: int | str) -> bool:
    """Pydantic names the branch of a union or a validator in the location, e.g. `function-before[...]`."""
    return isinstance(step, str) and "[" in step
