"""Entities of every kind, with whatever their fields can hold."""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

from hypothesis import strategies as st

from extauthz.catalog.changes import Entity, Kind
from extauthz.catalog.key_manager_conversion import fingerprint
from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription

MODELS: dict[Kind, type] = {
    Kind.KEY_MANAGER: KeyManager,
    Kind.OPAQUE_TOKENS: OpaqueTokens,
    Kind.API: Api,
    Kind.APPLICATION: Application,
    Kind.API_KEY: ApiKey,
    Kind.SUBSCRIPTION: Subscription,
}
_WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
_NOT_EMPTY = frozenset({"algorithms", "encryptions", "key_types"})
"""Sets that have members by default, and must have some."""


def parts_of(model: type) -> set[type]:
    """A dataclass and all those within it."""
    found = {model}
    for hint in typing.get_type_hints(model).values():
        for inner in _inside(hint):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type) and inner not in found:
                found |= parts_of(inner)
    return found


def _inside(hint: object) -> list[object]:
    return [hint, *(inner for argument in typing.get_args(hint) for inner in _inside(argument))]


@functools.cache
def entities(kind: Kind) -> st.SearchStrategy[Entity]:
    """Any entity of a kind; what fields there are is read from the model."""
    made = _built(MODELS[kind])
    if kind is Kind.KEY_MANAGER:
        return made.map(lambda each: replace(each, fingerprint=fingerprint(replace(each, fingerprint=b""))))
    return made


@functools.cache
def _built(model: typing.Any) -> st.SearchStrategy[typing.Any]:
    hints = typing.get_type_hints(model)
    return st.builds(
        model, **{field.name: _values(field.name, hints[field.name]) for field in dataclasses.fields(model)}
    )


def _values(name: str, hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and ... not in arguments:
        return st.tuples(*(_values(name, argument) for argument in arguments))
    if origin in {tuple, frozenset}:
        items = st.lists(_values(name, arguments[0]), max_size=3, min_size=int(name in _NOT_EMPTY))
        return items.map(origin)
    if isinstance(hint, types.UnionType) and "IPv4Network" not in str(hint):
        return st.one_of(*(_values(name, argument) for argument in arguments))
    is_part = dataclasses.is_dataclass(hint)  # said apart: mypy would take it for what cannot be hashed
    return _built(hint) if is_part else _plain(hint)


def _plain(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    known: dict[typing.Any, st.SearchStrategy[typing.Any]] = {
        str: _WORDS,
        int: st.integers(min_value=0, max_value=2**32 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bytes: st.binary(max_size=40),
        re.Pattern[str]: st.sampled_from([re.compile("a+"), re.compile(r"^[^é]\d{3}$")]),
        Mapping[str, str]: st.dictionaries(_WORDS, _WORDS, max_size=3),
        IPv4Network | IPv6Network: st.sampled_from(["192.0.2.0/24", "2001:db8::/32"]).map(ip_network),
    }
    return known[hint] if hint in known else st.from_type(hint)
