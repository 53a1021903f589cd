"""How each kind of proxy asks, by its own documentation (docs/http-check.md)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from extauthz.http_check.asked import Asked, NotUnderstood, Question
from extauthz.model.header_name import spellings

Proxy = Callable[[Question, str], Asked]
"""What a proxy asks about; the second argument is the prefix of the path.

Each header that is believed must be there, once: a line that an operator forgot, so that a client could write it, shows
with the first request.

Raises:
    NotUnderstood: the proxy is not set up as documented.
"""

_OF_THE_CONNECTION = frozenset({"host", "connection", "content-length", "transfer-encoding"})
_CLIENT_CERTIFICATE = spellings("x-forwarded-client-cert")
"""Envoy's to write. Other proxies hand a client's own on."""


def envoy(question: Question, prefix: str) -> Asked:
    """Envoy's `http_service`: the original method and host, and the original path behind the prefix."""
    path = question.target.removeprefix(prefix)
    if path == question.target:
        raise NotUnderstood("the path does not begin with path_prefix")
    return Asked(
        method=question.method,
        host=question.only("host"),
        path=path,
        scheme=question.scheme(),
        headers=question.headers_without(_OF_THE_CONNECTION),
        # Envoy appends its peer to x-forwarded-for only where it is told to, so nobody says it.
    )


def nginx(question: Question, prefix: str) -> Asked:
    """A subrequest of `auth_request`, with the headers of `proxy_set_header`."""
    return _by_headers(question, prefix, method="x-original-method", host="host", path="x-original-uri")


def traefik(question: Question, prefix: str) -> Asked:
    """Traefik's ForwardAuth."""
    return _by_headers(question, prefix, method="x-forwarded-method", host="x-forwarded-host", path="x-forwarded-uri")


def _by_headers(question: Question, prefix: str, *, method: str, host: str, path: str) -> Asked:
    """A request that headers of these names tell of."""
    # The original path stands in a header; one behind the prefix belongs to another kind of proxy.
    if question.target != prefix:
        raise NotUnderstood("the path is not path_prefix")
    return Asked(
        method=question.only(method),
        host=question.only(host),
        path=question.only(path),
        scheme=question.scheme(),
        headers=question.headers_without(_OF_THE_CONNECTION | _CLIENT_CERTIFICATE | {method, host, path}),
        peer_address=_last(question.only("x-forwarded-for")),
    )


def _last(addresses: str) -> str:
    """The peer of the proxy: each proxy appends the address that it was called from."""
    return addresses.rpartition(",")[2].strip(" \t")


PROXIES: Mapping[str, Proxy] = MappingProxyType({"envoy": envoy, "nginx": nginx, "traefik": traefik})
"""By the word of the settings. Which one asks is never guessed: a client could send the headers of another."""
