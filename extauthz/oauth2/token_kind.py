"""Which JWTs are something else than access tokens: ID tokens, refresh tokens, and what else an issuer signs.

All of them come from the issuer with a good signature, so nothing but their kind keeps them from an API.
"""

from collections.abc import Mapping
from typing import Any

from extauthz.model.token import Claims

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type (RFC 9068 §2.1)

# OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11; Financial-grade API 1.0 part 2 §5.1: of what comes with an ID token.
_ID_TOKEN_HASHES = ("at_hash", "c_hash", "s_hash")
# What an authorization needs and an ID token lacks (RFC 9068 §2.2, §2.2.3; `scp` is Entra's and Okta's `scope`).
_AUTHORIZATION_CLAIMS = ("scope", "scp", "client_id")
# Claims by which products tell their tokens apart, with the values of those that are no access tokens, in lower case.
_PRODUCT_KINDS: Mapping[str, Mapping[str, str]] = {
    # Keycloak, `TokenUtil`: Bearer and DPoP are access tokens.
    "typ": {
        "id": "an ID token",
        "serialized-id": "an ID token",
        "refresh": "a refresh token",
        "offline": "a refresh token",
        "logout": "a logout token",
    },
    # Amazon Cognito, "Using the ID token", "Using the access token": `access` or `id`.
    "token_use": {"id": "an ID token", "refresh": "a refresh token"},
    # ForgeRock and Ping AM: `access_token`, `refresh_token`, `id_token`.
    "tokenName": {"id_token": "an ID token", "refresh_token": "a refresh token"},
    # In introspection answers (RFC 7662 §2.2); the URNs are those of RFC 8693 §3, `Refresh` is WSO2's.
    "token_type": {
        "refresh": "a refresh token",
        "refresh_token": "a refresh token",
        "urn:ietf:params:oauth:token-type:refresh_token": "a refresh token",
        "id_token": "an ID token",
        "urn:ietf:params:oauth:token-type:id_token": "an ID token",
    },
}


def other_kind(
    typ: str | None,
    claims: Claims,
    *,
    accepted_types: frozenset[str] = frozenset(),
    scopes_claim: str | None = None,
) -> str | None:
    """What a token is if it is no access token, in words for a log; None for what may be one.

    `typ` is the header's, in lower case without `application/`; None for an introspection answer. `accepted_types` are
    those that the operator says access tokens have, `scopes_claim` the claim that holds scopes at this issuer.
    """
    if typ is not None and "+" in typ and typ != ACCESS_TOKEN_TYPE and typ not in accepted_types:
        # RFC 8725 §3.11: such a type says what the JWT is for: logout+jwt (OpenID Connect Back-Channel Logout 1.0
        # §2.4), dpop+jwt (RFC 9449 §4.2), token-introspection+jwt (RFC 9701 §5), secevent+jwt (RFC 8417 §2.3), rt+jwt.
        return f"typed for another purpose ({_suffix(typ)})"
    if product := _product_kind(claims):
        return product
    if typ == ACCESS_TOKEN_TYPE:
        return None
    return _open_id_kind(claims, scopes_claim)


def _product_kind(claims: Claims) -> str | None:
    for claim, kinds in _PRODUCT_KINDS.items():
        value: Any = claims.get(claim)
        if isinstance(value, str) and (kind := kinds.get(value.lower())):
            return kind
    return None


def _open_id_kind(claims: Claims, scopes_claim: str | None) -> str | None:
    if any(name in claims for name in _ID_TOKEN_HASHES):
        return "an ID token"
    if "events" in claims:
        return "a security event token"  # RFC 8417 §2.2; a logout token need not have a `typ`
    # `nonce` alone proves nothing: Keycloak wrote it into access tokens until version 25. With it, and without a sign
    # of what the client was authorized to do, the token says who logged in, and no more (OpenID Connect Core §2).
    evidence = (*_AUTHORIZATION_CLAIMS, scopes_claim)
    if "nonce" in claims and not any(name in claims for name in evidence if name):
        return "an ID token"
    return None


def _suffix(typ: str) -> str:
    """The structured suffix only (RFC 6838 §4.2.8): what stands before it is the sender's to choose."""
    return "+" + typ.rpartition("+")[2][:16] if typ.rpartition("+")[2].isalnum() else "+?"
