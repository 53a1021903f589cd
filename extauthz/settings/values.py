"""Words, names and addresses as the settings have them."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

Text = Annotated[str, Field(min_length=1, max_length=4096)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]

_TCP = re.compile(r"^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?:[0-9]{1,5})$")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_PORT_MAX = 65535


def _tcp_address(value: str) -> str:
    if not _TCP.match(value) or int(value.rpartition(":")[2]) > _PORT_MAX:
        raise ValueError("must be `host:port`, e.g. `0.0.0.0:9191` or `[::]:9191`")
    return value


def _listen_address(value: str) -> str:
    if value.startswith("unix:/") and not value.startswith("unix://"):
        return value
    if not _TCP.match(value):
        raise ValueError("must be `host:port` or `unix:/path/of/the.sock`")
    return _tcp_address(value)


def _redis_url(value: str) -> str:
    parts = urlsplit(value)
    try:
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not place or not port_is_right or "@" in value:
        raise ValueError(
            "must be `redis://host:port/0`, `rediss://...` or `unix:///path`, without user name and password"
        )
    if parts.query or parts.fragment or (parts.scheme != "unix" and not re.fullmatch(r"/?[0-9]*", parts.path)):
        raise ValueError("may end with the number of a database, and with nothing else")
    return value


def _otlp_endpoint(value: str) -> str:
    parts = urlsplit(value)
    is_address = _TCP.match(parts.netloc) and int(parts.netloc.rpartition(":")[2]) <= _PORT_MAX
    if parts.scheme not in {"http", "https"} or not is_address:  # nor is a user name part of an address
        raise ValueError("must be `http://host:port` or `https://host:port`, without user name and password")
    if not _PATH.fullmatch(parts.path) or parts.path.rstrip("/").endswith("/v1/traces") or "?" in value or "#" in value:
        raise ValueError("may end with a path, to which `/v1/traces` is added, and with nothing else")
    return value


TcpAddress = Annotated[str, AfterValidator(_tcp_address)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
OtlpEndpoint = Annotated[str, AfterValidator(_otlp_endpoint)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
