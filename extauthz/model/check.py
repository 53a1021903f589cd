"""What passes through a Check: the request, who calls, what they may, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import RegisteredCertificate
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


class RequestContext:
    """A request as Envoy describes it.

    One is made for every Check. So it is written out (a frozen dataclass takes 3 us, this one 0.6), and what few Checks
    look at is a property, which Envoy's room reads from the message when it is asked for.
    """

    __slots__ = (
        *("_peer_address", "_peer_certificate", "_request_id", "_scheme"),
        *("api_id", "headers", "host", "method", "path"),
    )

    def __init__(  # noqa: PLR0913 - each is one thing that Envoy says
        self,
        *,
        method: str,
        host: str,
        path: str,
        headers: Headers,
        api_id: str | None = None,
        request_id: str = "",
        scheme: str = "",
        peer_certificate: str = "",
        peer_address: str = "",
    ) -> None:
        """`path` as it came, with the query, undecoded; the query may hold an API key.

        `api_id` is named by the route (`context_extensions` or its metadata), so trusted; None: host and path say which
        API.
        """
        self.method: Final = method
        self.host: Final = host
        self.path: Final = path
        self.headers: Final = headers
        self.api_id: Final = api_id
        self._request_id = request_id
        self._scheme = scheme
        self._peer_certificate = peer_certificate
        self._peer_address = peer_address

    def __repr__(self) -> str:
        """Without what may hold a credential."""
        return f"RequestContext({self.method} {self.host}, api_id={self.api_id!r}, request_id={self.request_id!r})"

    @property
    def request_id(self) -> str:
        """What other logs know the request by; empty: nothing."""
        return self._request_id

    @property
    def scheme(self) -> str:
        """`http` or `https`, as Envoy sees it; empty: Envoy did not say."""
        return self._scheme

    @property
    def peer_certificate(self) -> str:
        """URL-encoded PEM of the client's certificate on the connection to Envoy.

        Empty: there is none, or Envoy did not send it.
        """
        return self._peer_certificate

    @property
    def peer_address(self) -> str:
        """IP address at the other end of the connection to Envoy; empty: it is not one."""
        return self._peer_address


class TokenScheme(StrEnum):
    """The authentication scheme that a token came with."""

    BEARER = "Bearer"
    DPOP = "DPoP"


class BearerToken(NamedTuple):
    """A token of the Authorization header: `Bearer` (RFC 6750 §2.1), or `DPoP`, beside a proof (RFC 9449 §7.1)."""

    value: str
    scheme: TokenScheme = TokenScheme.BEARER

    def __repr__(self) -> str:
        """Without the token."""
        return f"BearerToken(scheme={self.scheme.value!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedApiKey:
    """An API key as a request carries it."""

    value: str = field(repr=False)


class Principal(NamedTuple):
    """Who calls: a current token of a known key manager, an API key, or a registered client certificate.

    A named tuple, as one is made on every Check, and a frozen dataclass takes four times as long.
    """

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

    def __repr__(self) -> str:
        """Without the token, and without its name."""
        shown = (name for name in self._fields if name not in {"token", "token_key"})
        return f"Principal({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    @property
    def credential(self) -> str:
        """By what the caller is known: `token`, `api_key`, `certificate` or `extension`."""
        if self.key_manager is not None:
            return "token"
        if self.api_key is not None:
            return "api_key"
        return "extension" if self.certificate is None else "certificate"


class Access(NamedTuple):
    """All that an authorizer may look at. A tuple, as `Allow` is: they are made for every request."""

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


class Allow(NamedTuple):
    """The request may pass."""

    match: ResourceMatch
    access: Access | None = None
    """None on an open resource, and for a preflight."""
    backend_jwt: str | None = None
    headers: Mapping[str, str] = NO_HEADERS
    """What else the upstream is told, by header name in lower case; printable ASCII, never empty."""

    def __repr__(self) -> str:
        """Without what the upstream alone is told."""
        return f"Allow(match={self.match!r}, access={self.access!r})"


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
