"""What passes through a Check: the request, who calls, what they may, and the decision."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.application import Application, KeyType
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts


class Headers(Protocol):
    """Request headers by lower-case name; several values of one name are joined with a comma, as Envoy does."""

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """A request as Envoy describes it."""

    method: str
    host: str
    path: str
    """As it came, with the query, undecoded."""
    headers: Headers = field(repr=False)
    request_id: str = ""
    api_id: str | None = None
    """Named by the route (`context_extensions["api"]`), so trusted; None: the API is found by host and path."""
    scheme: str = ""
    """`http` or `https`, as Envoy sees it; empty: Envoy did not say."""
    peer_certificate: str = field(default="", repr=False)
    """URL-encoded PEM of the client's certificate on the connection to Envoy; empty: none, or Envoy did not send it."""


class TokenScheme(StrEnum):
    """The authentication scheme that a token came with."""

    BEARER = "Bearer"
    DPOP = "DPoP"


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token of the Authorization header: `Bearer` (RFC 6750 §2.1), or `DPoP`, beside a proof (RFC 9449 §7.1)."""

    value: str = field(repr=False)
    scheme: TokenScheme = TokenScheme.BEARER


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls: a current token of a known key manager."""

    key_manager: KeyManager
    facts: TokenFacts
    token_key: bytes = field(repr=False)
    """The token's cache key: names it without being it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """All that an authorizer may look at."""

    api: Api
    resource: Resource
    principal: Principal
    application: Application | None = None
    key_type: KeyType | None = None
    subscription: Subscription | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """The request may pass."""

    match: ResourceMatch
    access: Access | None = None
    """None on an open resource."""
    backend_jwt: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """The request is refused."""

    reason: Reason
    detail: str = ""
    """For the operator's log only."""
    scopes: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    retry_after_seconds: int | None = None
    dpop_nonce: str | None = None
    """The nonce that the next proof must hold (RFC 9449 §9)."""
    match: ResourceMatch | None = None

    @classmethod
    def of(cls, denied: Denied, match: ResourceMatch | None = None) -> "Deny":
        """The decision that a refusal leads to."""
        return cls(
            reason=denied.reason,
            detail=denied.detail,
            scopes=denied.scopes,
            methods=denied.methods,
            dpop_nonce=denied.dpop_nonce,
            match=match,
        )

    @classmethod
    def unavailable(cls, missing: Unavailable, match: ResourceMatch | None = None) -> "Deny":
        """The decision that a dependency leads to that does not answer."""
        return cls(
            reason=Reason.UNAVAILABLE,
            detail=f"{missing.component}: {missing.detail}",
            retry_after_seconds=missing.retry_after_seconds,
            match=match,
        )


Decision = Allow | Deny
