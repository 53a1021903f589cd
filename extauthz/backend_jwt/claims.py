"""The claims of a backend JWT: who calls, through which application and subscription, in WSO2's words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NewType

from extauthz.backend_jwt.copied_claims import CopiedClaims
from extauthz.backend_jwt.sources import NOTHING_TOLD, Told
from extauthz.model.check import Access

WSO2_DIALECT = "http://wso2.org/claims"

BackendClaims = NewType("BackendClaims", dict[str, Any])
"""What we assert to the upstream; only `backend_claims` makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendJwtProfile:
    """What every backend JWT of this gateway has in common."""

    issuer: str = "wso2.org/products/am"
    audience: tuple[str, ...] = ()
    """Where the API has none of its own. Empty: no `aud`."""
    ttl_seconds: int = 900
    dialect: str = WSO2_DIALECT
    """What WSO2's claim names are prefixed with, without the final slash."""
    convert_dialect: bool = False
    """Whether copied claims get the prefix as well."""
    restricted_claims: frozenset[str] = frozenset()
    """Claims that are not copied, beside those that never are."""


def backend_claims(access: Access, profile: BackendJwtProfile, now: float, told: Told = NOTHING_TOLD) -> BackendClaims:
    """Everything but `jti`. `exp` is at most the end of the token itself, its key manager's clock skew included.

    Times are whole seconds (RFC 7519 §2 would allow fractions; upstreams written for WSO2 do not). A claim about which
    nothing is known is left out. Our own word comes before an extension's, that before the token's, that before what is
    said about the user.
    """
    facts = access.principal.facts
    rules = CopiedClaims(dialect=profile.dialect, convert=profile.convert_dialect, restricted=profile.restricted_claims)
    claims = rules.of(facts.claims, told.user, access.principal.key_manager) | rules.without_reserved(told.extensions)
    claims |= {
        "iss": profile.issuer,
        "iat": int(now),
        "exp": int(min(int(now) + profile.ttl_seconds, token_end(access))),
    }
    if audience := access.api.backend_jwt_audience or profile.audience:
        claims["aud"] = list(audience)
    if facts.scopes:
        claims["scope"] = " ".join(sorted(facts.scopes))
    if subject := _subject(access):
        claims["sub"] = subject
    claims |= {f"{profile.dialect}/{name}": value for name, value in _in_dialect(access) if value}
    return BackendClaims(claims)


def token_end(access: Access) -> float:
    """When the credential ends for us, in seconds since the epoch; infinity when nobody said."""
    expires_at, key_manager = access.principal.facts.expires_at, access.principal.key_manager
    skew = 0 if key_manager is None else key_manager.clock_skew_seconds
    return float("inf") if expires_at is None else expires_at + skew


def _subject(access: Access) -> str | None:
    # RFC 9068 §2.2: without a resource owner, `sub` is the client; an API key has none either: the application.
    facts, application = access.principal.facts, access.application
    return facts.subject or facts.client_id or (None if application is None else application.id)


def _in_dialect(access: Access) -> Iterator[tuple[str, Any]]:
    yield "apiname", access.api.name
    yield "apicontext", access.api.context
    yield "version", access.api.version
    yield "enduserTenantDomain", access.api.organization
    yield "tier", access.policy
    yield from _about_user(access)
    yield from _about_application(access)


def _about_user(access: Access) -> Iterator[tuple[str, Any]]:
    facts, application = access.principal.facts, access.application
    is_user = bool(facts.subject) and facts.subject != facts.client_id and access.principal.certificate is None
    yield "usertype", "APPLICATION_USER" if is_user else "APPLICATION"
    if facts.subject or facts.client_id:
        yield "enduser", _subject(access)
    elif application is not None:
        # WSO2: whoever calls with an API key calls as the owner of the application.
        yield "enduser", application.owner


def _about_application(access: Access) -> Iterator[tuple[str, Any]]:
    if access.key_type is not None:
        yield "keytype", access.key_type.value
    application = access.application
    if application is not None:
        yield "subscriber", application.owner
        yield "applicationid", application.id
        yield "applicationUUId", application.id
        yield "applicationname", application.name
        yield "applicationtier", application.policy
        # WSO2 leaves out attributes without a value.
        yield "applicationAttributes", {name: value for name, value in application.attributes.items() if value}
