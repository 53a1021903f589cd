"""Any dataclass of the model to the message of the same name, and back, field by field."""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, ip_network
from typing import Any, TypeVar

from google.protobuf.message import Message

T = TypeVar("T")
NOT_STORED = frozenset({"fingerprint"})
"""What is made of the other fields, by whoever reads them."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    present: Callable[[Message], bool]
    write: Callable[[Message, Any], None]
    read: Callable[[Message], Any]


def write(value: Any, message: Message) -> None:
    """Puts a dataclass into a message.

    Raises:
        ValueError: it holds what the message cannot say.
    """
    made: Any = type(value)
    for field in _fields(made):
        item = getattr(value, field.name)
        if item is not None:
            field.write(message, item)


def read(made: type[T], message: Message) -> T:
    """The dataclass in a message; what is absent has its default.

    Raises:
        TypeError: something is absent that has no default.
        ValueError: something is not known here.
    """
    plan: Any = made
    given = {field.name: field.read(message) for field in _fields(plan) if field.present(message)}
    return made(**(_nones(plan) | given))


@functools.cache
def _fields(made: Any) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(made)
    return tuple(_field(each, hints[each.name]) for each in dataclasses.fields(made) if each.name not in NOT_STORED)


@functools.cache
def _nones(made: Any) -> dict[str, None]:
    """Fields that must be given and may be None: absent, they are."""
    hints = typing.get_type_hints(made)
    required = [each.name for each in dataclasses.fields(made) if _is_required(each)]
    return {name: None for name in required if type(None) in _options(hints[name])}


def _is_required(each: dataclasses.Field[Any]) -> bool:
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def _field(each: dataclasses.Field[Any], hint: Any) -> _Field:
    options = tuple(option for option in _options(hint) if option is not type(None))
    origin = typing.get_origin(options[0])
    if origin in {tuple, frozenset}:
        optional = len(options) < len(_options(hint))
        return _names(each.name, origin) if optional else _repeated(each, origin, typing.get_args(options[0])[0])
    if origin is Mapping:
        return _map(each.name)
    if len(options) > 1:
        return _one_of(each.name, options)
    if dataclasses.is_dataclass(options[0]):
        return _part(each.name, options[0])
    return _plain(each.name, *_converters(options[0]))


def _options(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _plain(name: str, written: Callable[[Any], Any], made: Callable[[Any], Any]) -> _Field:
    def present(message: Message) -> bool:
        return not message.DESCRIPTOR.fields_by_name[name].has_presence or message.HasField(name)

    return _Field(
        name,
        present,
        lambda message, item: setattr(message, name, written(item)),
        lambda message: made(getattr(message, name)),
    )


def _part(name: str, made: Any) -> _Field:
    def put(message: Message, item: Any) -> None:
        part = getattr(message, name)
        part.SetInParent()  # present, even if nothing is in it
        write(item, part)

    return _Field(name, lambda message: message.HasField(name), put, lambda message: read(made, getattr(message, name)))


def _one_of(name: str, options: Iterable[Any]) -> _Field:
    by_name = {_snake(option.__name__): option for option in options}

    def put(message: Message, item: Any) -> None:
        part = getattr(getattr(message, name), _snake(type(item).__name__))
        part.SetInParent()
        write(item, part)

    def get(message: Message) -> Any:
        choice = getattr(message, name)
        chosen = choice.WhichOneof("way")
        if chosen is None:
            raise ValueError(f"{name}: none that is known here")
        return read(by_name[chosen], getattr(choice, chosen))

    return _Field(name, lambda message: message.HasField(name), put, get)


def _repeated(each: dataclasses.Field[Any], collection: Any, item_type: Any) -> _Field:
    name, required = each.name, _is_required(each)
    has_items_by_default = not required and bool(each.default)
    parts = dataclasses.is_dataclass(item_type)
    written, made = (None, None) if parts else _converters(item_type)

    def put(message: Message, items: Any) -> None:
        if not items and has_items_by_default:
            raise ValueError(f"{name}: an empty one would be read as the default")
        field = getattr(message, name)
        if parts:
            for item in items:
                write(item, field.add())
        elif written is not None:
            field.extend(sorted(map(written, items)) if collection is frozenset else map(written, items))

    def get(message: Message) -> Any:
        items = getattr(message, name)
        return collection(read(item_type, item) if made is None else made(item) for item in items)

    return _Field(name, lambda message: required or bool(getattr(message, name)), put, get)


def _names(name: str, collection: Any) -> _Field:
    """Words, or None, which is not the same as no words."""

    def put(message: Message, items: Any) -> None:
        part = getattr(message, name)
        part.SetInParent()
        part.names.extend(sorted(items) if collection is frozenset else items)

    return _Field(
        name, lambda message: message.HasField(name), put, lambda message: collection(getattr(message, name).names)
    )


def _map(name: str) -> _Field:
    return _Field(
        name,
        lambda message: bool(getattr(message, name)),
        lambda message, items: getattr(message, name).update(items),
        lambda message: dict(getattr(message, name)),
    )


def _converters(item_type: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    if typing.get_origin(item_type) is re.Pattern:
        return lambda pattern: pattern.pattern, re.compile
    if isinstance(item_type, types.UnionType) and IPv4Network in typing.get_args(item_type):
        return str, ip_network
    if issubclass(item_type, StrEnum):
        return str, item_type
    return _same, _same


def _same(item: Any) -> Any:
    return item


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
