"""What is known about a token: the only thing about it that a cache may hold."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NewType

from msgspec import field

from extauthz.model.errors import Reason
from extauthz.model.secret_fields import SecretFields

Claims = NewType("Claims", dict[str, Any])
"""Claims as the issuer wrote them; only `oauth2/` makes them, from a verified signature or an introspection answer."""


class TokenForm(StrEnum):
    """How a token was checked."""

    JWT = "jwt"
    INTROSPECTED = "introspected"
    NO_TOKEN = "no_token"  # noqa: S105 - a form
    """The credential is another one; no cache ever holds such a fact."""


class TokenFacts(SecretFields, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What an issuer said about a token, and until when that may be believed.

    A fact with a `refusal` is negative: the issuer (or the token's own form) said no, and the other fields are empty.
    All times are seconds since the epoch. Stores hold it as a list, in this order (`cache.sealed`).
    """

    hidden = frozenset({"subject", "token_id", "claims"})

    form: TokenForm
    refusal: Reason | None = None
    issuer: str | None = None
    subject: str | None = None
    client_id: str | None = None
    scopes: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    expires_at: float | None = None
    not_before: float | None = None
    issued_at: float | None = None
    token_type: str | None = None
    """`typ` of a JWT's header, or `token_type` of an introspection answer."""
    token_id: str | None = None
    """`jti`."""
    signing_key: str | None = None
    """RFC 7638 SHA-256 thumbprint of the key that verified the signature; None for introspected tokens."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Every claim of the issuer, for the backend JWT."""
    believe_until: float
    """Fixed when the issuer answered; past it the fact is worth nothing, whatever a store's own expiry says.

    The last one, since it must be there: so a record without its end, as another version may write it, is none."""
