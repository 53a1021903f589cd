"""From Envoy's CheckRequest to the request that the pipeline decides on."""

import re
from collections.abc import Mapping, Sequence
from typing import Self

from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from extauthz.envoy.route_metadata import api_of_route
from extauthz.model.check import Headers, RequestContext
from extauthz.model.errors import Denied, Reason
from extauthz.model.secret_fields import SecretFields

API_EXTENSION = "api"
"""The key in `context_extensions` by which a route names its API."""

MAX_REQUEST_ID_LENGTH = 128
"""Characters; the client may choose `x-request-id`, and every log line carries it."""

# As Envoy writes them; whoever compares one reads it. Of bounded length, so that nothing long is tried in many ways.
_IP_ADDRESS = re.compile(r"[0-9.]{7,15}|(?=[0-9a-f.]{0,44}:)[0-9a-f:.]{2,45}(?:%[0-9A-Za-z._-]{1,64})?")


class RequestHeaders(SecretFields, frozen=True, eq=False):
    """Request headers by lower-case name, read in place: nothing is copied before it is asked for."""

    hidden = frozenset({"values"})

    values: Mapping[str, str]

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        return self.values.get(name, default)


class RawHeaders(SecretFields, frozen=True, eq=False):
    """The same of headers as `encode_raw_headers` sends them: bytes, and each as often as it came."""

    hidden = frozenset({"entries"})

    entries: Mapping[str, Sequence[HeaderValue]]

    @classmethod
    def of(cls, header_map: HeaderMap) -> Self:
        """By name; no value is read yet, since that takes as long as all the rest."""
        entries: dict[str, list[HeaderValue]] = {}
        for entry in header_map.headers:
            entries.setdefault(entry.key.lower(), []).append(entry)
        return cls(entries)

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        entries = self.entries.get(name)
        # Joined as Envoy does it without raw headers: a repeated Authorization must show up as such, never as "the
        # first" (CVE-2021-32777).
        return default if entries is None else ",".join(map(_text, entries))


class EnvoyDetails(SecretFields, frozen=True, eq=False):
    """Reads what few Checks look at from Envoy's message (`RequestDetails`)."""

    hidden = frozenset({"attributes", "http", "headers"})

    attributes: AttributeContext
    http: AttributeContext.HttpRequest
    headers: Headers

    @property
    def request_id(self) -> str:
        """`x-request-id`, or Envoy's stream id, which no other log knows."""
        request_id: str = self.headers.get("x-request-id") or self.http.id
        return request_id[:MAX_REQUEST_ID_LENGTH]

    @property
    def scheme(self) -> str:
        """`attributes.request.http.scheme`."""
        scheme: str = self.http.scheme
        return scheme

    @property
    def peer_certificate(self) -> str:
        """`attributes.source.certificate`."""
        certificate: str = self.attributes.source.certificate
        return certificate

    @property
    def peer_address(self) -> str:
        """`attributes.source.address`, if it is an IP address."""
        # A Unix socket has a path, and an internal listener a name: neither is here. Nor is a host name ever.
        address: str = self.attributes.source.address.socket_address.address
        return address if _IP_ADDRESS.fullmatch(address) else ""


def request_context(check_request: CheckRequest) -> RequestContext:
    """The request that Envoy asks about.

    Raises:
        Denied: `invalid_request` for a check without an HTTP request (Envoy's network filter sends those);
            `no_matching_api` where the route's metadata name no API that could be meant.
    """
    attributes: AttributeContext = check_request.attributes
    request = attributes.request
    http = request.http
    # What is not there is read as empty, and every HTTP request has a method: so the question is seldom asked.
    method: str = http.method
    if not method and not request.HasField("http"):
        raise Denied(Reason.INVALID_REQUEST, "the check has no attributes.request.http")
    api_id: str | None = attributes.context_extensions.get(API_EXTENSION)
    if api_id is None and attributes.HasField("route_metadata_context"):
        api_id = api_of_route(attributes.route_metadata_context)
    # Envoy sends the one or the other. The map of raw headers is the one in which a repeated header shows.
    headers = RawHeaders.of(http.header_map) if http.HasField("header_map") else RequestHeaders(http.headers)
    return RequestContext(
        method=method,
        host=http.host,
        path=http.path,
        headers=headers,
        details=EnvoyDetails(attributes, http, headers),
        api_id=api_id,
    )


def _text(entry: HeaderValue) -> str:
    # RFC 9110 §5.5: octets above 0x7F are opaque. Latin-1 has a character for each, so nothing raises (CVE-2023-27488).
    raw: bytes = entry.raw_value
    return raw.decode("latin-1") if raw else str(entry.value)
