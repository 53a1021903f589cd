"""The claims of a backend JWT: who calls, through which application and subscription, in WSO2's words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NewType

from extauthz.model.check import Access
from extauthz.model.key_manager import KeyManager

WSO2_DIALECT = "http://wso2.org/claims"

BackendClaims = NewType("BackendClaims", dict[str, Any])
"""What we assert to the upstream; only `backend_claims` makes it."""

DIALECT_CLAIMS = frozenset(
    {
        "subscriber",
        "applicationid",
        "applicationname",
        "applicationtier",
        "applicationUUId",
        "applicationAttributes",
        "apiname",
        "apicontext",
        "version",
        "tier",
        "keytype",
        "usertype",
        "enduser",
        "enduserTenantDomain",
        "enduserTenantId",
    }
)
"""Names that mean, below the dialect, what a gateway says: never copied from a token, whether we say it or not."""

_RESTRICTED = frozenset(
    # WSO2's list.
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "application", "tierInfo", "subscribedAPIs", "keytype"}
    # Said between the issuer, the client and us: of no meaning, or of a false one, in another token. `scope` is ours.
    | {
        "backendJwt",
        "cnf",
        "active",
        "scope",
        "scp",
        "token_type",
        "expires_in",
        "nonce",
        "at_hash",
        "c_hash",
        "s_hash",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendJwtProfile:
    """What every backend JWT of this gateway has in common."""

    issuer: str = "wso2.org/products/am"
    audience: tuple[str, ...] = ()
    """Empty: no `aud`."""
    ttl_seconds: int = 900
    dialect: str = WSO2_DIALECT
    """What WSO2's claim names are prefixed with, without the final slash."""


def backend_claims(access: Access, profile: BackendJwtProfile, now: float) -> BackendClaims:
    """Everything but `jti`. `exp` is at most the end of the token itself, its key manager's clock skew included.

    Times are whole seconds (RFC 7519 §2 would allow fractions; upstreams written for WSO2 do not). A claim about which
    nothing is known is left out.
    """
    facts = access.principal.facts
    claims = _copied(access, profile.dialect)
    claims |= {
        "iss": profile.issuer,
        "iat": int(now),
        "exp": int(min(int(now) + profile.ttl_seconds, token_end(access))),
    }
    if profile.audience:
        claims["aud"] = list(profile.audience)
    if facts.scopes:
        claims["scope"] = " ".join(sorted(facts.scopes))
    # RFC 9068 §2.2: without a resource owner, `sub` is the client.
    subject = facts.subject or facts.client_id
    if subject:
        claims["sub"] = subject
    claims |= {f"{profile.dialect}/{name}": value for name, value in _in_dialect(access) if value}
    return BackendClaims(claims)


def token_end(access: Access) -> float:
    """When the token itself ends for us, in seconds since the epoch; infinity when its issuer did not say."""
    expires_at = access.principal.facts.expires_at
    return float("inf") if expires_at is None else expires_at + access.principal.key_manager.clock_skew_seconds


def _in_dialect(access: Access) -> Iterator[tuple[str, Any]]:
    yield "apiname", access.api.name
    yield "apicontext", access.api.context
    yield "version", access.api.version
    yield "enduserTenantDomain", access.api.organization
    yield from _about_user(access)
    yield from _about_application(access)


def _about_user(access: Access) -> Iterator[tuple[str, Any]]:
    subject, client_id = access.principal.facts.subject, access.principal.facts.client_id
    yield "enduser", subject or client_id
    yield "usertype", "APPLICATION" if not subject or subject == client_id else "APPLICATION_USER"


def _about_application(access: Access) -> Iterator[tuple[str, Any]]:
    if access.key_type is not None:
        yield "keytype", access.key_type.value
    if access.subscription is not None:
        yield "tier", access.subscription.policy
    application = access.application
    if application is not None:
        yield "subscriber", application.owner
        yield "applicationid", application.id
        yield "applicationUUId", application.id
        yield "applicationname", application.name
        yield "applicationtier", application.policy
        # WSO2 leaves out attributes without a value.
        yield "applicationAttributes", {name: value for name, value in application.attributes.items() if value}


def _copied(access: Access, dialect: str) -> dict[str, Any]:
    claims = access.principal.facts.claims
    own = {f"{dialect}/{name}" for name in DIALECT_CLAIMS} | _RESTRICTED | _renamed(access.principal.key_manager)
    return {name: value for name, value in claims.items() if name not in own}


def _renamed(key_manager: KeyManager) -> frozenset[str]:
    """The claim that this key manager writes scopes into: we say it as `scope`."""
    return frozenset() if key_manager.scopes_claim is None else frozenset({key_manager.scopes_claim})
