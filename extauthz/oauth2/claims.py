"""The claims that the standards name, with their types checked (RFC 7519 §4.1, RFC 7662 §2.2, RFC 9068 §2.2)."""

import re
from typing import Any

from extauthz.model.errors import Denied, Reason
from extauthz.model.secret_fields import SecretFields
from extauthz.model.token import Claims

MAX_NUMERIC_DATE = 2**63 - 1
"""Seconds; WSO2 writes about 9.2e15 for a token that never expires, so a calendar's limit would refuse it."""

DEFAULT_SCOPE_CLAIMS = ("scope", "scp")
DEFAULT_CLIENT_ID_CLAIMS = ("azp", "client_id")

_WHITESPACE = re.compile(r"[ \t\r\n]+")


class RegisteredClaims(SecretFields, frozen=True):
    """RFC 7519 §4.1; times are seconds since the epoch, finite, and not compared with anything yet."""

    hidden = frozenset({"sub", "jti"})

    iss: str | None
    sub: str | None
    aud: frozenset[str]
    exp: float | None
    nbf: float | None
    iat: float | None
    jti: str | None


def registered_claims(claims: Claims, *, exp_required: bool = True) -> RegisteredClaims:
    """Read the registered claims; a member that is null counts as absent.

    `exp` is required of a JWT (RFC 9068 §2.2) and optional in an introspection answer (RFC 7662 §2.2).

    Raises:
        Denied: INVALID_TOKEN: a claim of a wrong type, a date that is not a finite number of a sane size, or no `exp`
            where it is required.
    """
    exp = _numeric_date(claims, "exp")
    if exp_required and exp is None:
        raise Denied(Reason.INVALID_TOKEN, "claim `exp` is missing")
    return RegisteredClaims(
        _string(claims, "iss"),
        _string(claims, "sub"),
        _strings(claims, "aud"),
        exp,
        _numeric_date(claims, "nbf"),
        _numeric_date(claims, "iat"),
        _string(claims, "jti"),
    )


def scopes(claims: Claims, claim: str | None = None) -> frozenset[str]:
    """The scopes in a claim: a string split at whitespace (RFC 6749 §3.3) or a list of strings.

    `claim` None means the first of `DEFAULT_SCOPE_CLAIMS` that is present.

    Raises:
        Denied: INVALID_TOKEN: the claim is neither.
    """
    names = DEFAULT_SCOPE_CLAIMS if claim is None else (claim,)
    name = _first_present(claims, names)
    value = claims.get(name)
    if isinstance(value, str):
        return frozenset(scope for scope in _WHITESPACE.split(value) if scope)
    return _strings(claims, name)


def client_id(claims: Claims, claim: str | None = None) -> str | None:
    """The OAuth client that the token was issued to; None when the claim is absent or empty.

    `claim` None means the first of `DEFAULT_CLIENT_ID_CLAIMS` that is present.

    Raises:
        Denied: INVALID_TOKEN: the claim is not a string.
    """
    names = DEFAULT_CLIENT_ID_CLAIMS if claim is None else (claim,)
    return _string(claims, _first_present(claims, names)) or None


def _first_present(claims: Claims, names: tuple[str, ...]) -> str:
    return next((name for name in names if claims.get(name) is not None), names[0])


def _string(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong_type(name, "a string")


def _strings(claims: Claims, name: str) -> frozenset[str]:
    """RFC 7519 §4.1.3: one string, or a list of strings."""
    value: Any = claims.get(name)
    if value is None:
        return frozenset()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(member, str) for member in values):
        raise _wrong_type(name, "a string or a list of strings")
    return frozenset(values)


def _numeric_date(claims: Claims, name: str) -> float | None:
    """RFC 7519 §2: a JSON number; `true` is none, although it is an int to Python."""
    value: Any = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, "a number")
    # Written so that NaN fails too; infinities are outside of the bounds.
    if not -MAX_NUMERIC_DATE <= value <= MAX_NUMERIC_DATE:
        raise Denied(Reason.INVALID_TOKEN, f"claim `{name}` is out of bounds")
    return float(value)


def _wrong_type(name: str, expected: str) -> Denied:
    return Denied(Reason.INVALID_TOKEN, f"claim `{name}` is not {expected}")
