"""JSON Web Tokens (RFC 7519): read to find the issuer, then verified with the issuer's key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SIGNATURE_ALGORITHMS
from extauthz.model.secret_fields import SecretFields
from extauthz.model.token import Claims
from extauthz.oauth2 import base64url, strict_json
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.jws import ensure_signed

MAX_TOKEN_LENGTH = 64 * 1024
"""Characters; Envoy takes 60 KiB of headers by default."""

_JWS_PARTS = 3
_JWE_PARTS = 5
# A header that brings its own key, or changes what is signed, is the sender's choice and never ours (RFC 8725 §3.10;
# RFC 7515 §4.1.11: an extension that is not understood must be refused, and none is). `x5c` is ignored: never trusted.
_REFUSED_HEADERS = ("crit", "jku", "jwk", "x5u", "b64")


_HEADERS = 256
_MAX_KEPT_HEADER = 1024
"""Characters; those of the tokens that an issuer signs with one key are alike, and short."""


class UnverifiedJwt(SecretFields, frozen=True):
    """A token in the form of a JWT. Nothing in it may be believed; the issuer only chooses whose key is tried."""

    hidden = frozenset({"token", "header", "claims"})

    token: str
    header: Mapping[str, Any]
    alg: str
    kid: str | None
    typ: str | None
    """In lower case and without `application/` (RFC 7515 §4.1.9)."""
    issuer: str | None
    """`iss`; of an encrypted token the header's copy (RFC 7519 §5.3); None when it is absent or not a string."""
    audiences: frozenset[str]
    """`aud`, from where `iss` is; empty when it is absent or neither a string nor a list of strings."""
    encrypted: bool
    claims: Claims
    """What the token says of itself; empty if it is encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedClaims:
    """Claims whose signature is valid. Only `verify` makes them."""

    claims: Claims = field(repr=False)
    typ: str | None
    """See `UnverifiedJwt.typ`."""
    key_thumbprint: str
    """RFC 7638 SHA-256 thumbprint of the key that verified the signature."""


class _Header(Struct, frozen=True):
    members: Mapping[str, Any]
    alg: str
    kid: str | None
    typ: str | None


def parse(token: str) -> UnverifiedJwt | None:
    """Read a token; None when it is opaque.

    A token is a JWT if it has 3 or 5 parts and the first decodes to a JSON object with `alg`.

    Raises:
        Denied: INVALID_TOKEN: longer than `MAX_TOKEN_LENGTH`, or a JWT that is malformed.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise Denied(Reason.INVALID_TOKEN, f"longer than {MAX_TOKEN_LENGTH} characters")
    parts = token.split(".")
    if len(parts) not in (_JWS_PARTS, _JWE_PARTS):
        return None
    # Anybody can send what would push out the others; most such is long, or encrypted and thus never the same twice.
    kept = len(parts) == _JWS_PARTS and len(parts[0]) <= _MAX_KEPT_HEADER
    header = _kept_header(parts[0]) if kept else _header(parts[0])
    return None if header is None else _jwt(token, header, parts[1:])


def verify(jwt: UnverifiedJwt, key: VerificationKey, algorithms: frozenset[str]) -> SignedClaims:
    """The claims of a token, once its header is acceptable and its signature valid.

    Time, issuer and audience are the caller's to check.

    Raises:
        Denied: INVALID_TOKEN: encrypted, an algorithm that is not allowed or does not fit the key, a header that is
            refused, or a bad signature.
    """
    ensure_acceptable(jwt, algorithms)
    ensure_signed(jwt.token, key, jwt.alg)
    # `parse` read them from the payload that is signed.
    return SignedClaims(claims=jwt.claims, typ=jwt.typ, key_thumbprint=key.thumbprint)


def ensure_acceptable(jwt: UnverifiedJwt, algorithms: frozenset[str]) -> None:
    """Whether a token's form and header let its signature be looked at.

    Of a token that is acceptable, `verify` refuses nothing but the signature.

    Raises:
        Denied: INVALID_TOKEN: encrypted, an algorithm that is not allowed, or a header that is refused.
    """
    if jwt.encrypted:
        raise Denied(Reason.INVALID_TOKEN, "encrypted, and not opened")
    # The second test holds whatever the configuration says: never `none`, never a shared secret (RFC 8725 §3.1).
    if jwt.alg not in algorithms or jwt.alg not in SIGNATURE_ALGORITHMS:
        raise Denied(Reason.INVALID_TOKEN, "the algorithm is not allowed")
    for name in _REFUSED_HEADERS:
        if name in jwt.header:
            raise Denied(Reason.INVALID_TOKEN, f"header `{name}` is refused")


def _header(part: str) -> _Header | None:
    try:
        header = strict_json.parse_object(base64url.decode(part))
    except strict_json.AmbiguousJson as exc:
        raise Denied(Reason.INVALID_TOKEN, f"header: {exc}") from exc
    except ValueError:
        return None
    if "alg" not in header:
        return None
    typ = _media_type(_text(header, "typ"))
    return _Header(MappingProxyType(header), _text(header, "alg") or "", _text(header, "kid"), typ)


# Neither secret nor believed: only read once for the many tokens that have the same, which takes 12 us.
_kept_header = lru_cache(maxsize=_HEADERS)(_header)


def _jwt(token: str, header: _Header, parts: list[str]) -> UnverifiedJwt:
    segments = [_segment(part) for part in parts]
    encrypted = len(segments) != _JWS_PARTS - 1
    claims = Claims({} if encrypted else _claims(segments[0]))
    members = header.members if encrypted else claims
    issuer = members.get("iss")
    return UnverifiedJwt(
        token,
        header.members,
        header.alg,
        header.kid,
        header.typ,
        issuer if isinstance(issuer, str) else None,
        _strings(members.get("aud")),
        encrypted,
        claims,
    )


def _segment(part: str) -> bytes:
    try:
        return base64url.decode(part)
    except ValueError as exc:
        raise Denied(Reason.INVALID_TOKEN, "a part is not base64url") from exc


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        return strict_json.parse_object(payload)
    except ValueError as exc:
        # RFC 7519 §7.2 step 10: the payload is one JSON object. JSON errors quote no content.
        raise Denied(Reason.INVALID_TOKEN, f"claims: {type(exc).__name__}") from exc


def _strings(value: Any) -> frozenset[str]:
    """RFC 7519 §4.1.3: one string or a list; anything else is none, and is refused where the claims are judged."""
    values = [value] if isinstance(value, str) else value
    strings = isinstance(values, list) and all(isinstance(member, str) for member in values)
    return frozenset(values) if strings else frozenset()


def _text(header: dict[str, Any], name: str) -> str | None:
    value = header.get(name)
    if name in header and not isinstance(value, str):
        raise Denied(Reason.INVALID_TOKEN, f"header `{name}` is not a string")
    return value


def _media_type(typ: str | None) -> str | None:
    return None if typ is None else typ.lower().removeprefix("application/")
