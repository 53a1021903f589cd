"""What a proxy asks about, however it says so."""

from collections.abc import Iterable
from dataclasses import dataclass

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

_SCHEMES = frozenset({"http", "https"})


class NotUnderstood(Exception):  # noqa: N818 - a verdict about a question, not a fault of the program
    """A question that the proxy does not ask when it is set up as documented; the text is for the operator's log.

    It names headers of ours and quotes nothing.
    """


class Question:
    """An HTTP request to the check port: method, target and headers, as they came."""

    __slots__ = ("_headers", "method", "target")

    def __init__(self, method: str, target: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """`target` is that of the request line, with the query; `headers` in their order, repeated ones too."""
        self.method = method
        self.target = target
        self._headers = [
            (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in headers
        ]

    def only(self, name: str) -> str:
        """The value of a header that the proxy always sends, once.

        Raises:
            NotUnderstood: it is not there, there twice, empty, or not ASCII.
        """
        values = [value for named, value in self._headers if named == name]
        if len(values) != 1 or not values[0] or not values[0].isascii():
            raise NotUnderstood(f"{name} must be there, once")
        return values[0]

    def scheme(self) -> str:
        """`x-forwarded-proto`.

        Raises:
            NotUnderstood: it is not there once, or says neither `http` nor `https`.
        """
        scheme = self.only("x-forwarded-proto")
        if scheme not in _SCHEMES:
            raise NotUnderstood("x-forwarded-proto must be http or https")
        return scheme

    def headers_without(self, left_out: frozenset[str]) -> dict[str, str]:
        """The headers by name in lower case, repeated ones joined as Envoy joins them."""
        joined: dict[str, str] = {}
        for name, value in self._headers:
            if name not in left_out:
                # A repeated Authorization must show up as a joined one, never as "the first": CVE-2021-32777.
                joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


def _text(octets: bytes) -> str:
    # RFC 9110 §5.5: octets above 0x7F are opaque. Latin-1 has a character for each, so nothing raises.
    return octets.decode("latin-1").strip(" \t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The client's request, as the proxy describes it."""

    method: str
    host: str
    path: str
    """With the query, undecoded."""
    scheme: str
    headers: dict[str, str]
    peer_address: str = ""
    """Of the client's connection to the proxy; empty: the proxy does not say."""

    def check_request(self) -> bytes:
        """As Envoy would ask by gRPC, serialized.

        Raises:
            NotUnderstood: the path is no path.
        """
        if not self.path.startswith("/") or not self.path.isascii():
            raise NotUnderstood("the original path must begin with / and be ASCII")
        message = CheckRequest()
        http = message.attributes.request.http
        http.method, http.host, http.path, http.scheme = self.method, self.host, self.path, self.scheme
        http.headers.update(self.headers)
        if self.peer_address:
            message.attributes.source.address.socket_address.address = self.peer_address
        return bytes(message.SerializeToString())
