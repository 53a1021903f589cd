"""What passes through a Check: the request, who calls, what they may, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import RegisteredCertificate
from extauthz.model.application import Application, KeyType
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.secret_fields import SecretFields
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts


class Headers(Protocol):
    """Request headers by lower-case name; several values of one name are joined with a comma, as Envoy does."""

    def get(self, name: str, default: str = "", /) -> str:
        """The value of a header, or the default."""
        ...


class RequestDetails(Protocol):
    """What few Checks look at: read when it is asked for."""

    @property
    def request_id(self) -> str:
        """What other logs know the request by; empty: nothing."""
        ...

    @property
    def scheme(self) -> str:
        """`http` or `https`, as Envoy sees it; empty: Envoy did not say."""
        ...

    @property
    def peer_certificate(self) -> str:
        """URL-encoded PEM of the client's certificate on the connection to Envoy.

        Empty: there is none, or Envoy did not send it.
        """
        ...

    @property
    def peer_address(self) -> str:
        """IP address at the other end of the connection to Envoy; empty: it is not one."""
        ...


class GivenDetails(SecretFields, frozen=True, kw_only=True):
    """Details that are at hand, as in tests; of nothing else is anything known."""

    hidden = frozenset({"peer_certificate"})

    request_id: str = ""
    scheme: str = ""
    peer_certificate: str = ""
    peer_address: str = ""


class RequestContext(SecretFields, frozen=True, eq=False, kw_only=True):
    """A request as Envoy describes it."""

    hidden = frozenset({"path", "headers", "details"})

    method: str
    host: str
    path: str
    """As it came, with the query, undecoded; the query may hold an API key."""
    headers: Headers
    details: RequestDetails = GivenDetails()
    api_id: str | None = None
    """Named by the route (`context_extensions` or its metadata), so trusted; None: host and path say which API."""

    @property
    def request_id(self) -> str:
        """See `RequestDetails`."""
        return self.details.request_id

    @property
    def scheme(self) -> str:
        """See `RequestDetails`."""
        return self.details.scheme

    @property
    def peer_certificate(self) -> str:
        """See `RequestDetails`."""
        return self.details.peer_certificate

    @property
    def peer_address(self) -> str:
        """See `RequestDetails`."""
        return self.details.peer_address


class TokenScheme(StrEnum):
    """The authentication scheme that a token came with."""

    BEARER = "Bearer"
    DPOP = "DPoP"


class BearerToken(SecretFields, frozen=True):
    """A token of the Authorization header: `Bearer` (RFC 6750 §2.1), or `DPoP`, beside a proof (RFC 9449 §7.1)."""

    hidden = frozenset({"value"})

    value: str
    scheme: TokenScheme = TokenScheme.BEARER


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedApiKey:
    """An API key as a request carries it."""

    value: str = field(repr=False)


class Principal(SecretFields, frozen=True):
    """Who calls: a current token of a known key manager, an API key, or a registered client certificate."""

    hidden = frozenset({"token", "token_key"})

    facts: TokenFacts
    token_key: bytes
    """Names the credential without being it; of a token, its cache key."""
    key_manager: KeyManager | None = None
    """Who issued the token; None: the credential is no token."""
    token: str | None = None
    """The access token as it came, for whoever must ask its issuer with it; kept nowhere."""
    api_key: ApiKey | None = None
    """Set: this key is the credential."""
    certificate: RegisteredCertificate | None = None
    """Set: the client's certificate is the only credential."""
    application: str | None = None
    """Id of the application that the credential names; for callers whom an extension knows."""

    @property
    def credential(self) -> str:
        """By what the caller is known: `token`, `api_key`, `certificate` or `extension`."""
        if self.key_manager is not None:
            return "token"
        if self.api_key is not None:
            return "api_key"
        return "extension" if self.certificate is None else "certificate"


class Access(Struct, frozen=True):
    """All that an authorizer may look at."""

    api: Api
    resource: Resource
    principal: Principal
    application: Application | None = None
    key_type: KeyType | None = None
    subscription: Subscription | None = None

    @property
    def policy(self) -> str | None:
        """The tier of the subscription, or of the registered certificate that stands for one."""
        if self.subscription is not None:
            return self.subscription.policy
        certificate = self.principal.certificate
        return None if certificate is None else certificate.policy


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Allow(SecretFields, frozen=True):
    """The request may pass."""

    hidden = frozenset({"backend_jwt", "headers"})

    match: ResourceMatch
    access: Access | None = None
    """None on an open resource, and for a preflight."""
    backend_jwt: str | None = None
    headers: Mapping[str, str] = NO_HEADERS
    """What else the upstream is told, by header name in lower case; printable ASCII, never empty."""


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
    api: Api | None = None
    resource: Resource | None = None
    key_manager: str = ""
    """Id of the one whose token it is; empty: not known, or no token."""
    allow_origin: str | None = None
    """The origin of the request, where the API's `cors` names it (or `*`): only then a script may read the refusal."""
    shadow: bool = False
    """Whether the request passes all the same: the refusal is recorded, and not enforced."""

    @classmethod
    def of(cls, denied: Denied) -> "Deny":
        """The decision that a refusal leads to."""
        return cls(
            reason=denied.reason,
            detail=denied.detail,
            scopes=denied.scopes,
            methods=denied.methods,
            dpop_nonce=denied.dpop_nonce,
            key_manager=denied.key_manager,
        )

    @classmethod
    def unavailable(cls, missing: Unavailable) -> "Deny":
        """The decision that a dependency leads to that does not answer."""
        return cls(
            reason=Reason.UNAVAILABLE,
            detail=f"{missing.component}: {missing.detail}",
            retry_after_seconds=missing.retry_after_seconds,
            key_manager=missing.key_manager,
        )


Decision = Allow | Deny
