"""Envoy's `x-forwarded-client-cert`: what the proxies before this one say about the certificates they saw."""

import re
from dataclasses import dataclass, field

MAX_LENGTH = 64 * 1024
"""Characters; more than Envoy takes in headers by default."""

# Strict on quotation marks: each one opens right behind `=` and closes right before `;`, `,` or the end. A client that
# leaves one open in its own element must not make the proxy's element behind it look like a quoted text.
_PAIR = re.compile(
    r'[ \t]*(?P<key>[A-Za-z]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^",;]*))(?P<end>[;,]|\Z)', re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedElement:
    """What one proxy says; of the parts that name the certificate."""

    hash: str | None = field(default=None, repr=False)
    """SHA-256 of the DER, in hexadecimal digits."""
    cert: str | None = field(default=None, repr=False)
    """URL-encoded PEM."""


def last_element(header: str) -> ForwardedElement | None:
    """The last element, which the proxy nearest to us wrote; None for an empty header.

    The elements before it may be a client's own invention, so none of them is used. With several proxies on the way,
    the last one must forward what the first one saw, and not add itself (docs/binding.md).

    Raises:
        ValueError: the header, any part of it, is not of Envoy's form, or names a certificate twice in the element.
    """
    if not header:
        return None
    if len(header) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    element: dict[str, str] = {}
    for pair in _pairs(header):
        key = pair["key"].lower()
        if key in element and key in {"hash", "cert"}:
            raise ValueError(f"`{key}` twice in one element")
        element[key] = pair["plain"] if pair["quoted"] is None else pair["quoted"]
        last, element = element, element if pair["end"] == ";" else {}
    return ForwardedElement(hash=last.get("hash"), cert=last.get("cert"))


def _pairs(header: str) -> list[re.Match[str]]:
    pairs: list[re.Match[str]] = []
    position = 0
    while position < len(header) or (pairs and pairs[-1]["end"]):
        pair = _PAIR.match(header, position)
        if pair is None:
            raise ValueError("not of the form that Envoy writes")
        pairs.append(pair)
        position = pair.end()
    return pairs
