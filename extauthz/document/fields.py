"""What the classes of a document say about a place in it."""

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from extauthz.document.descriptions import descriptions
from extauthz.document.mistakes import Location


def known_keys(annotation: Any, location: Location) -> list[str]:
    """The keys of the part at a place, found by walking the classes; empty where it is not one part."""
    parts = [annotation]
    for step in location:
        parts = [inner for part in parts for inner in _inside(part, step)]
    fields = [p.model_fields for p in _unfold(parts) if isinstance(p, type) and issubclass(p, BaseModel)]
    return sorted({key for field in fields for key in field})


def description(annotation: Any, location: Location) -> str:
    """What the innermost key on the way to a place is for, in the words of its field."""
    parts, words = [annotation], ""
    for step in location:
        for part in _unfold(parts):
            if isinstance(part, type) and issubclass(part, BaseModel) and step in part.model_fields:
                words = descriptions(part).get(str(step), "")
        parts = [inner for part in parts for inner in _inside(part, step)]
    return words


def _inside(annotation: Any, step: str | int) -> list[Any]:
    found = []
    for part in _unfold([annotation]):
        if isinstance(part, type) and issubclass(part, BaseModel):
            if step in part.model_fields:
                found.append(part.model_fields[str(step)].annotation)
        elif arguments := typing.get_args(part):
            found.append(arguments[0] if isinstance(step, int) else arguments[-1])
    return found


def _unfold(annotations: list[Any]) -> Iterator[Any]:
    """The alternatives of unions and annotated types."""
    for annotation in annotations:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            yield from _unfold([typing.get_args(annotation)[0]])
        elif origin is typing.Union or type(annotation).__name__ == "UnionType":
            yield from _unfold(list(typing.get_args(annotation)))
        else:
            yield annotation
