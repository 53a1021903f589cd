"""Whether a page is one of those from which an API key may be used."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Envoy and browsers write no user information, and no fragment (RFC 9110 §10.1.3); a value with either is no page.
_PAGE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^#\s]*)?",
    re.IGNORECASE,
)
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>(?:\*\.)?[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/\S*)?",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAX_LENGTH = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    scheme: str
    host: str
    port: str
    path: str


def comes_from(referer: str, patterns: Iterable[str]) -> bool:
    """Whether the page that a `Referer` header names fits one of the patterns.

    `https://www.example.com/shop` is one page, `www.example.com/*` all of a host, `*.example.com/*` all of the hosts
    below a domain. Nothing else in a pattern has a meaning; no regular expression is made of one.
    """
    page = _page(referer)
    return page is not None and any(_fits(page, pattern) for pattern in patterns)


def _page(referer: str) -> _Page | None:
    match = _PAGE.fullmatch(referer) if len(referer) <= _MAX_LENGTH else None
    if match is None:
        return None
    scheme = match["scheme"].lower()
    return _Page(
        scheme=scheme,
        host=match["host"].lower(),
        port=match["port"] or _DEFAULT_PORTS[scheme],
        path=match["path"] or "/",
    )


def _fits(page: _Page, pattern: str) -> bool:
    match = _PATTERN.fullmatch(pattern)
    if match is None:
        return False  # the catalog takes no such pattern
    scheme = (match["scheme"] or page.scheme).lower()
    if scheme != page.scheme or (match["port"] or _DEFAULT_PORTS[scheme]) != page.port:
        return False
    return _fits_host(page.host, match["host"].lower()) and _fits_path(page.path, match["path"] or "/")


def _fits_host(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern[1:]
    return host == pattern


def _fits_path(path: str, pattern: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
