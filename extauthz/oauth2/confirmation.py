"""The `cnf` claim: what a token is bound to (RFC 7800 §3.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extauthz.model.errors import Denied, Reason

_X5T_S256 = "x5t#S256"
_JKT = "jkt"
_SHA256_BASE64URL = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The methods by which a presenter must confirm that the token is theirs; each one that is there must hold."""

    x5t_s256: str | None = None
    """SHA-256 of the client's certificate, base64url (RFC 8705 §3.1)."""
    jkt: str | None = None
    """SHA-256 thumbprint of the key that signs the proofs, base64url (RFC 9449 §6.1)."""


def confirmation(claims: Mapping[str, Any]) -> Confirmation | None:
    """The token's confirmation; None for a token that is bound to nothing.

    Only an absent `cnf` binds to nothing. RFC 7800 §3.1 leaves members that are not understood to the application:
    here one of them refuses the token, since the issuer meant a check that nobody would make.

    Raises:
        Denied: INVALID_TOKEN: malformed, empty, or with a method that cannot be verified.
    """
    if "cnf" not in claims:
        return None
    members = claims["cnf"]
    if not isinstance(members, dict) or not members:
        raise Denied(Reason.INVALID_TOKEN, "`cnf` is not an object with members")
    if not members.keys() <= {_X5T_S256, _JKT}:
        raise Denied(Reason.INVALID_TOKEN, "`cnf` has a confirmation method that cannot be verified")
    for value in members.values():
        if not isinstance(value, str) or not _SHA256_BASE64URL.fullmatch(value):
            raise Denied(Reason.INVALID_TOKEN, "`cnf` has a thumbprint that is not a SHA-256 in base64url")
    return Confirmation(x5t_s256=members.get(_X5T_S256), jkt=members.get(_JKT))
