"""A request as somebody describes it, and the CheckRequest that Envoy would make of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlsplit

from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from extauthz.envoy.request import API_EXTENSION

_REQUEST_ID = "extauthz-check"
_PORT = 40_000
"""Of the client's end; nobody reads it."""


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
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must be like https://api.example.com/petstore/v1/pets, without user name and password")
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
