"""Key managers: the authorization servers whose tokens are accepted, and how each one's tokens are checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DEFAULT_ORGANIZATION = "default"

SIGNATURE_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""What may be allowed at all (RFC 7518 §3.1, RFC 8037): asymmetric signatures, so never `none` and never `HS*`."""

KEY_MANAGEMENT_ALGORITHMS = frozenset({"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"})
"""How the key of an encrypted token may be wrapped (RFC 7518 §4.1): never RSA1_5, never a password, never `dir`."""

CONTENT_ENCRYPTIONS = frozenset({"A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"})

MAX_CLOCK_SKEW_SECONDS = 300


class SubscriptionValidation(StrEnum):
    """Whether a caller must be an application that has subscribed to the API."""

    CATALOG = "catalog"
    CLAIM = "claim"
    """The token's own `subscribedAPIs`."""
    OFF = "off"


class BackendJwtMode(StrEnum):
    """Where the backend JWT comes from: we make it, or it is the `backendJwt` claim of a trusted issuer's token."""

    GENERATE = "generate"
    PASS_THROUGH = "pass_through"  # noqa: S105 - a mode


class TokenValidation(StrEnum):
    """How a key manager's JWTs are checked (WSO2: enableSelfValidationJWT)."""

    JWT = "jwt"
    INTROSPECTION = "introspection"


class Binding(StrEnum):
    """What a token must be bound to, so that who has it cannot use it alone."""

    NONE = "none"
    """Nothing is required; a binding that a token has is verified all the same."""
    CERTIFICATE = "certificate"
    """RFC 8705 §3."""
    DPOP = "dpop"
    """RFC 9449."""
    ANY = "any"
    """One of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decryption:
    """How encrypted tokens of a key manager are opened (RFC 7516)."""

    key_secrets: tuple[str, ...]
    """Names of secrets: private keys in PEM."""
    algorithms: frozenset[str] = frozenset({"RSA-OAEP-256"})
    encryptions: frozenset[str] = frozenset({"A256GCM"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtValidation:
    """How a key manager's self-contained tokens are checked (RFC 7519).

    With both `jwks_uri` and `certificates`, a token that carries a `kid` is checked against the JWK set.
    """

    jwks_uri: str | None = None
    discovery: bool = False
    """Find `jwks_uri` in the issuer's metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3) when it is registered."""
    ca_file: str | None = None
    """PEM file of the authorities that the endpoint's certificate may come from; None: those of the system."""
    certificates: tuple[str, ...] = ()
    """PEM certificates."""
    certificate_validity: bool = True
    """Whether a certificate's own dates are checked."""
    algorithms: frozenset[str] = frozenset({"RS256"})
    audiences: frozenset[str] = frozenset()
    """Empty: `aud` is not looked at."""
    token_types: frozenset[str] = frozenset()
    """Accepted `typ` header values in lower case without `application/`; empty: any."""
    decryption: Decryption | None = None


class CredentialPlacement(StrEnum):
    """Where a client's credentials go in a token request (WSO2: credentialBearer)."""

    HEADER = "header"
    """AUTH_HEADER_BEARER: HTTP Basic (RFC 6749 §2.3.1)."""
    BODY = "body"
    """POST_BODY_BEARER: `client_id` and `client_secret` in the form."""
    NONE = "none"
    """NO_BEARER: no credentials; `client_id` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuthentication:
    """HTTP Basic at the introspection endpoint; secrets are named, never held here."""

    username: str
    password_secret: str
    """A name in the process's own `secrets:` map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretPost:
    """`client_id` and `client_secret` in the form (RFC 6749 §2.3.1)."""

    client_id: str
    client_secret: str
    """Name of a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKeyJwt:
    """A signed assertion (RFC 7523 §2.2)."""

    client_id: str
    key_secret: str
    algorithm: str = "RS256"
    kid: str | None = None
    audience: str | None = None
    """None: the issuer identifier of the key manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTls:
    """The client's certificate in the TLS handshake (RFC 8705 §2)."""

    client_id: str
    certificate_file: str
    """PEM, with its chain."""
    key_secret: str
    """Name of a secret: the private key in PEM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What every request to a token endpoint has."""

    token_endpoint: str
    client_id: str
    client_secret: str | None
    """Name of a secret; None with `credentials: none`."""
    credentials: CredentialPlacement = CredentialPlacement.HEADER
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """RFC 6749 §6, for the token of a password grant or a direct token."""

    request: TokenRequest
    refresh_token: str | None = None
    """Name of a secret with the first one; None: the one that came with the access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentialsGrant:
    """A bearer token by RFC 6749 §4.4."""

    request: TokenRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordGrant:
    """A bearer token by RFC 6749 §4.3."""

    request: TokenRequest
    username: str
    password_secret: str
    refresh: RefreshGrant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectToken:
    """A bearer token that the operator was given."""

    token_secret: str
    refresh: RefreshGrant | None = None


EndpointAuthentication = (
    BasicAuthentication
    | ClientSecretPost
    | PrivateKeyJwt
    | MutualTls
    | ClientCredentialsGrant
    | PasswordGrant
    | DirectToken
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """When an endpoint that fails is left alone."""

    failures: int = 5
    """In a row."""
    open_seconds: float = 5.0
    """Then nobody asks for this long; after it, one request tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswer:
    """Introspection answers as JWTs (RFC 9701)."""

    algorithms: frozenset[str]
    audience: str
    """`aud` of the answer: this service, as the key manager knows it."""
    required: bool = True
    """Whether a plain JSON answer is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """How a key manager's opaque tokens are checked (RFC 7662)."""

    endpoint: str
    authentication: EndpointAuthentication
    connect_timeout_seconds: float = 1.0
    timeout_seconds: float = 2.0
    max_concurrent: int = 100
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    ca_file: str | None = None
    signed_answer: SignedAnswer | None = None
    audiences: frozenset[str] = frozenset()
    """Empty: `aud` of the answer is not looked at."""
    token_types: frozenset[str] = frozenset()
    """Accepted `token_type` of the answer, in lower case; empty: any, and none.

    Some servers call a refresh token active, and leave its type out.
    """
    stale_if_error_seconds: float = 0.0
    """How long past its cache time a fact is believed while the endpoint does not answer; never past its `exp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Userinfo:
    """Where claims about a token's user are asked for (OpenID Connect Core §5.3), for the backend JWT."""

    endpoint: str
    ttl_seconds: float = 300.0
    """How long an answer is used for the same token."""
    connect_timeout_seconds: float = 1.0
    timeout_seconds: float = 2.0
    max_concurrent: int = 100
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyManager:
    """A party that issues tokens. Unique by (organization, id)."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    issuer: str
    """Several key managers of an organization may have one issuer if the audiences that they accept are disjoint."""
    enabled: bool = True
    validation: TokenValidation = TokenValidation.JWT
    introspect_failed_jwt: bool = False
    """Whether a JWT whose signature cannot be verified is introspected before it is refused."""
    jwt: JwtValidation | None = None
    introspection: Introspection | None = None
    userinfo: Userinfo | None = None
    """None: the backend JWT says of users what the token says."""
    clock_skew_seconds: int = 0
    client_id_claim: str | None = None
    """None: `azp`, then `client_id`."""
    scopes_claim: str | None = None
    """None: `scope`, then `scp`."""
    claim_mapping: Mapping[str, str] = field(default_factory=dict)
    """Remote claim to local claim; what is not named keeps its own name."""
    binding: Binding = Binding.NONE
    subscription_validation: SubscriptionValidation = SubscriptionValidation.CATALOG
    backend_jwt: BackendJwtMode = BackendJwtMode.GENERATE
    fingerprint: bytes = field(default=b"", repr=False)
    """SHA-256 of the settings that decide validation: part of every cache key, so a change forgets the old entries."""
