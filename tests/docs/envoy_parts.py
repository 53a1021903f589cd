"""Parts of Envoy's configuration, read into Envoy's own messages."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

PARTS = {
    "envoy.config.bootstrap.v3.Bootstrap": {},
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager": {},
    "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz": {},
    "envoy.extensions.filters.http.ext_authz.v3.CheckSettings": {},
    "envoy.config.bootstrap.v3.Bootstrap.StaticResources": {},
    "envoy.config.route.v3.VirtualHost": {},
    "envoy.config.cluster.v3.Cluster": {},
    "envoy.config.listener.v3.FilterChain": {},
    "envoy.config.core.v3.TransportSocket": {},
    "envoy.config.route.v3.Route": {},
}  # type: dict[str, dict[str, Any]]
"""What a page may show a part of; the first message that has all keys is meant."""


def is_envoy(part: object) -> bool:
    """Whether these keys belong into one of Envoy's messages, or into two of them one after the other."""
    return isinstance(part, dict) and (
        "@type" in part or all(any(key in _fields(name) for name in PARTS) for key in part)
    )


def read_part(part: dict[str, Any]) -> None:
    """Reads every key into the message that has it, with all typed parts inside.

    Raises:
        json_format.ParseError: one does not fit.
    """
    if "@type" in part:
        read_as({key: value for key, value in part.items() if key != "@type"}, next(_types(part)))
        return
    for type_name in _types(part):
        _message(type_name)
    whole = [name for name in PARTS if set(part) <= _fields(name)]
    if whole:
        json_format.ParseDict(part, _message(whole[0])())
        return
    for key, value in part.items():
        name = next(name for name in PARTS if key in _fields(name))
        json_format.ParseDict({key: value}, _message(name)())


def read_as(part: dict[str, Any], type_name: str) -> None:
    """Reads a part into a message by its name.

    Raises:
        json_format.ParseError: it does not fit.
    """
    for inner in _types(part):
        _message(inner)
    json_format.ParseDict(part, _message(type_name)())


@cache
def _fields(type_name: str) -> frozenset[str]:
    return frozenset(_message(type_name).DESCRIPTOR.fields_by_name)


def _types(value: object) -> Iterator[str]:
    """The types that `@type` names, however deep."""
    if isinstance(value, dict):
        if "@type" in value:
            yield value["@type"].rpartition("/")[2]
        for each in value.values():
            yield from _types(each)
    elif isinstance(value, list):
        for each in value:
            yield from _types(each)


@cache
def _message(type_name: str) -> type[Message]:
    pool = descriptor_pool.Default()
    package = ".".join(part for part in type_name.split(".") if part == part.lower())
    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{module.name}")
    assert any_pb2  # is what typed parts are read into
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(type_name))
