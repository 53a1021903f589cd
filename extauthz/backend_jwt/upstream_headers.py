"""Headers that tell the upstream single things about the caller, beside the backend JWT or in its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from extauthz.backend_jwt.attributes import ATTRIBUTES, attributes_of
from extauthz.backend_jwt.header_encoding import Encode
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason
from extauthz.model.header_name import ensure_settable, spellings

MAX_BYTES = 8 * 1024
"""Of one value; many servers accept no more for all headers together."""

_VALUE = re.compile(r"[\x20-\x7e]+")
_OF_ANOTHER_MEANING = frozenset(
    {"authorization", "dpop", "cookie", "content-type", "forwarded", "x-forwarded-client-cert", "x-request-id"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamHeader:
    """A header, and the one thing that it tells: exactly one of `claim` and `attribute`."""

    name: str
    claim: str | None = None
    """Of the token: a name at the top of its claims, as the key manager's claim mapping left it."""
    attribute: str | None = None
    """One of ATTRIBUTES."""
    encode: Encode


class UpstreamHeaders:
    """Makes the headers of an allowed request."""

    def __init__(self, headers: Sequence[UpstreamHeader], *, backend_jwt_header: str) -> None:
        """Check the headers.

        Raises:
            ValueError: a name that is not ours to set or that an upstream takes for another, or no such attribute.
        """
        taken = {_folded(backend_jwt_header)}
        for header in headers:
            _ensure_sendable(header)
            if _folded(header.name) in taken:
                raise ValueError(f"{header.name} is there twice, or is the header of the backend JWT")
            taken.add(_folded(header.name))
        self._headers = [(header.name.lower(), header) for header in headers]
        self._has_attributes = any(header.attribute is not None for header in headers)

    def __call__(self, access: Access) -> Mapping[str, str]:
        """Values by name in lower case, printable ASCII; what is absent, null or empty has none.

        Raises:
            Denied: a value that cannot be sent in its encoding, or is too long.
        """
        attributes = attributes_of(access) if self._has_attributes else {}
        claims = access.principal.facts.claims
        values: dict[str, str] = {}
        for name, header in self._headers:
            known = claims.get(header.claim) if header.claim is not None else attributes.get(header.attribute or "")
            if known is not None and (value := _value(header, known)):
                values[name] = value
        return values


def _value(header: UpstreamHeader, known: object) -> str:
    try:
        value = header.encode(known)
    except ValueError as exc:
        raise _cannot_be_sent(header) from exc
    # Whatever the encoding promises: a line break would start a header of somebody else's choice.
    if len(value) > MAX_BYTES or (value and not _VALUE.fullmatch(value)):
        raise _cannot_be_sent(header)
    return value


def _cannot_be_sent(header: UpstreamHeader) -> Denied:
    return Denied(Reason.INVALID_TOKEN, f"{header.claim or header.attribute} cannot be sent in {header.name}")


def _ensure_sendable(header: UpstreamHeader) -> None:
    name = header.name.lower()
    ensure_settable(name)
    spellings(name)
    if name in _OF_ANOTHER_MEANING:
        raise ValueError(f"{header.name} has another meaning")
    if header.attribute is not None and header.attribute not in ATTRIBUTES:
        raise ValueError(f"no attribute {header.attribute}; there are {', '.join(sorted(ATTRIBUTES))}")


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
