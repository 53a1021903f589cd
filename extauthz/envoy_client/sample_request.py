"""A request as somebody describes it, and the CheckRequest that Envoy would make of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Self
from urllib.parse import quote, urlsplit

from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from extauthz.envoy.request import API_EXTENSION

_REQUEST_ID = "extauthz-check"
_PORT = 40_000
"""Of the client's end; nobody reads it."""
_URL = "must be like https://api.example.com/petstore/v1/pets, without user name and password"
_NO_URL = re.compile(r"[\x00-\x20\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
"""RFC 9110 §5.6.2: what a method and the name of a header are."""
_NO_VALUE = re.compile(r"[\x00\r\n]")
"""RFC 9110 §5.5: what no proxy passes on in the value of a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL as a request carries it."""

    scheme: str
    host: str
    """With the port, if the URL has one."""
    path: str = field(repr=False)
    """With the query, undecoded."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an absolute `http` or `https` URL.

        Raises:
            ValueError: it is not one.
        """
        if _NO_URL.search(url):
            raise ValueError("must have no space and no control character: a client sends them percent-encoded")
        try:
            parts = urlsplit(url)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError as error:  # a bracket too few, a port that is none
            raise ValueError(_URL) from error
        if not right or "@" in parts.netloc:
            raise ValueError(_URL)
        if parts.fragment:
            raise ValueError("must have no fragment (#): no client sends one")
        query = f"?{parts.query}" if parts.query else ""
        return cls(scheme=parts.scheme, host=parts.netloc, path=f"{parts.path or '/'}{query}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """A request that a client might send."""

    target: Target
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: str = field(default="", repr=False)
    """PEM of the certificate that the client showed to Envoy; empty: none."""
    peer_address: str = "127.0.0.1"
    """IP address of the client's end of the connection to Envoy."""
    api: str | None = None
    """Id of the API that the route names (`context_extensions`); None: it names none."""

    def __post_init__(self) -> None:
        """Only what a client can send and Envoy can tell; no value is repeated, which may be a token.

        Raises:
            ValueError: the method, a header or the address is none.
        """
        if not _TOKEN.fullmatch(self.method):
            raise ValueError(f"not a method of HTTP: {self.method!r}")
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"not the name of a header: {name!r}")
            if _NO_VALUE.search(value):
                raise ValueError(f"header {name}: has a line end or a NUL")
        try:
            ip_address(self.peer_address)
        except ValueError as error:
            raise ValueError(f"not an IP address: {self.peer_address!r}") from error

    def check_request(self) -> CheckRequest:
        """As Envoy sends it with the settings that we recommend (`encode_raw_headers`)."""
        request = CheckRequest()
        attributes = request.attributes
        address = attributes.source.address.socket_address
        address.address, address.port_value = self.peer_address, _PORT
        attributes.source.certificate = quote(self.certificate, safe="")
        http = attributes.request.http
        http.id, http.method, http.protocol = _REQUEST_ID, self.method, "HTTP/1.1"
        http.scheme, http.host, http.path = self.target.scheme, self.target.host, self.target.path
        http.header_map.CopyFrom(_header_map(self.headers))
        if self.api is not None:
            attributes.context_extensions[API_EXTENSION] = self.api
        return request


def _header_map(headers: Mapping[str, str]) -> HeaderMap:
    given = [HeaderValue(key=name.lower(), raw_value=value.encode()) for name, value in headers.items()]
    return HeaderMap(headers=given)
