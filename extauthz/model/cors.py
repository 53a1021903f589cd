"""What an API says to browsers (Fetch standard, "CORS protocol")."""

import re
from dataclasses import dataclass

ANY_ORIGIN = "*"

# RFC 6454 §7.1, without the lists that no browser sends; two Origin fields come here joined with a comma.
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://[^\s,/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Whose scripts may call; preflights of those pass without a credential, and refusals say so to the browser."""

    origins: frozenset[str]
    """Exactly as browsers write them (`https://app.example.com`), or `*` alone."""
    credentials: bool = False
    """`Access-Control-Allow-Credentials`; not with `*`."""
    exposed_headers: frozenset[str] = frozenset()
    """Headers of a refusal that scripts may read."""


def allowed_origin(cors: Cors | None, origin: str) -> str | None:
    """What `Access-Control-Allow-Origin` may say to a request with this `Origin`, in the API's own spelling.

    None: nothing, since the API does not name it, or it is not the one origin that a browser sends.
    """
    if cors is None or not _ORIGIN.fullmatch(origin):
        return None
    if ANY_ORIGIN in cors.origins:
        return ANY_ORIGIN
    return origin if origin in cors.origins else None
