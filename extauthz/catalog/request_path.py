"""A request's path, read once and in one way only.

An authorizer and an upstream that read a path differently let requests through (envoy-wire, issue 8), so whatever
has two readings is refused rather than cleaned.
"""

import re
from urllib.parse import unquote_to_bytes

MAX_PATH_BYTES = 16 * 1024
"""Envoy's own limit for all headers together is 60 KiB; templates are matched segment by segment."""

# The common case: unreserved characters, sub-delims without `;`, `:` and `@` (RFC 3986 §3.3), nothing to decode.
_PLAIN = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,=:@/]*")
# An escaped slash, backslash, dot, question mark or percent sign: the next reader may decode once more, or split there.
_ESCAPED_STRUCTURE = re.compile(r"%(?:2[ef]|5c|3f|25)", re.IGNORECASE)
_REFUSED = re.compile(r"[;\\#\x00-\x1f\x7f]")
_PERCENT_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def segments(path: str) -> tuple[str, ...] | None:
    """The decoded segments of a path with or without a query, or None where it is not to be trusted.

    `/pets/1` has the segments `("pets", "1")`, `/pets/` has `("pets", "")`, `/` has `("",)`.
    """
    if len(path) > MAX_PATH_BYTES:
        return None
    plain = path.partition("?")[0]
    if not _PLAIN.fullmatch(plain):
        decoded = _decoded(plain)
        if decoded is None:
            return None
        plain = decoded
    found = tuple(plain[1:].split("/"))
    # An empty segment is only right at the end; dot segments never are. Either shows in the whole path, where two looks
    # cost a quarter of three looks at the segments.
    if ("//" in plain or "/." in plain) and ("" in found[:-1] or "." in found or ".." in found):
        return None
    return found


def _decoded(path: str) -> str | None:
    if not path.startswith("/"):
        return None
    if _ESCAPED_STRUCTURE.search(path) or path.count("%") != len(_PERCENT_ESCAPE.findall(path)):
        return None
    try:
        decoded = unquote_to_bytes(path.encode("latin-1")).decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return None if _REFUSED.search(decoded) else decoded
