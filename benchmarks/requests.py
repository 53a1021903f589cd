"""CheckRequests as Envoy sends them, and what the answers say."""

from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

_HEADERS = {
    ":authority": "api.example.com",
    ":method": "GET",
    ":path": "/petstore/v1/pets?limit=20",
    ":scheme": "https",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "x-envoy-external-address": "203.0.113.7",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "x-request-id": "7d1c1ad4-3f5b-4f0c-9d62-0a7f5a5a7d0e",
}
GOOD: dict[str, Any] = {"client_id": "client", "azp": "client", "scope": "read"}
"""Claims of a token that may use the API of `support.catalogs`."""


def check_request(token: str, *, host: str = "api.example.com", path: str = "/petstore/v1/pets?limit=20") -> bytes:
    """A serialized request with a bearer token."""
    request = CheckRequest()
    attributes = request.attributes
    attributes.source.address.socket_address.address = "203.0.113.7"
    attributes.source.address.socket_address.port_value = 51820
    attributes.destination.address.socket_address.address = "198.51.100.2"
    attributes.destination.address.socket_address.port_value = 443
    http = attributes.request.http
    http.id, http.method, http.protocol = "7215", "GET", "HTTP/2"
    http.host, http.path, http.scheme = host, path, "https"
    http.headers.update({**_HEADERS, ":authority": host, ":path": path, "authorization": f"Bearer {token}"})
    return bytes(request.SerializeToString())


def raw_request(token: str) -> bytes:
    """The same as Envoy sends it by `deploy/envoy/envoy.yaml`: few headers, those raw, and a route's empty metadata."""
    request = CheckRequest.FromString(check_request(token))
    http = request.attributes.request.http
    for name in ("authorization", "x-request-id"):
        http.header_map.headers.add(key=name, raw_value=http.headers[name].encode())
    http.headers.clear()
    request.attributes.route_metadata_context.SetInParent()
    return bytes(request.SerializeToString())


def client_headers(token: str) -> list[str]:
    """What a client sends to Envoy for such a request, as `name: value`."""
    own = {name: value for name, value in _HEADERS.items() if name[0] not in ":x"}
    return [f"{name}: {value}" for name, value in {**own, "authorization": f"Bearer {token}"}.items()]


def numbered_token(number: int) -> str:
    """An opaque token of as many bytes as many issuers' have; all have the same length."""
    return f"opaque-{number:033d}"


def refusal(response: bytes) -> str:
    """What a serialized answer tells the client; it quotes nothing that was sent."""
    return str(CheckResponse.FromString(response).denied_response.body)


def is_allowed(response: bytes) -> bool:
    """Whether a serialized answer lets the request through."""
    return bool(CheckResponse.FromString(response).status.code == 0)
