"""Key managers: the authorization servers whose tokens are accepted, and how each one's tokens are checked."""

from dataclasses import dataclass, field
from enum import StrEnum

DEFAULT_ORGANIZATION = "default"

SIGNATURE_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""What may be allowed at all (RFC 7518 §3.1, RFC 8037): asymmetric signatures, so never `none` and never `HS*`."""

MAX_CLOCK_SKEW_SECONDS = 300


class SubscriptionValidation(StrEnum):
    """Whether a caller must be an application that has subscribed to the API."""

    CATALOG = "catalog"
    OFF = "off"


class BackendJwtMode(StrEnum):
    """Where the backend JWT comes from (seed 003: a trusted issuer's `backendJwt` claim is passed on)."""

    GENERATE = "generate"
    PASS_THROUGH = "pass_through"  # noqa: S105 - a mode  # noqa: S105 - a mode


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtValidation:
    """How a key manager's self-contained tokens are checked (seed 003).

    With both `jwks_uri` and `certificates`, a token that carries a `kid` is checked against the JWK set.
    """

    jwks_uri: str | None = None
    certificates: tuple[str, ...] = ()
    """PEM certificates."""
    algorithms: frozenset[str] = frozenset({"RS256"})
    audiences: frozenset[str] = frozenset()
    """Empty: `aud` is not looked at (seed 003)."""
    token_types: frozenset[str] = frozenset()
    """Accepted `typ` header values in lower case without `application/`; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuthentication:
    """HTTP Basic at the introspection endpoint; the password is named, never held here."""

    username: str
    password_secret: str
    """A name in the process's own `secrets:` map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """How a key manager's opaque tokens are checked (RFC 7662, seed 000)."""

    endpoint: str
    authentication: BasicAuthentication
    timeout_seconds: float = 2.0
    audiences: frozenset[str] = frozenset()
    """Empty: `aud` of the answer is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyManager:
    """A party that issues tokens. Unique by (organization, id) and by (organization, issuer)."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    issuer: str
    enabled: bool = True
    jwt: JwtValidation | None = None
    introspection: Introspection | None = None
    clock_skew_seconds: int = 0
    client_id_claim: str | None = None
    """None: `azp`, then `client_id`."""
    scopes_claim: str | None = None
    """None: `scope`, then `scp`."""
    subscription_validation: SubscriptionValidation = SubscriptionValidation.CATALOG
    backend_jwt: BackendJwtMode = BackendJwtMode.GENERATE
    fingerprint: bytes = field(default=b"", repr=False)
    """SHA-256 of the settings that decide validation: part of every cache key, so a change forgets the old entries."""
