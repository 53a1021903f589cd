"""Which credentials an API accepts (wso2-facts §1.8)."""

from dataclasses import dataclass, field
from enum import StrEnum

from extauthz.model.application import KeyType


class Requirement(StrEnum):
    """Whether a kind of credential must be shown."""

    OFF = "off"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyPlacement:
    """Where a request carries its API key. At least one of both."""

    header: str | None = None
    """In lower case."""
    query: str | None = None
    """Name of a query parameter, case-sensitive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCertificate:
    """A client certificate that an API knows: this very one, whoever signed it."""

    thumbprint: str
    """SHA-256 of its DER, base64url (RFC 8705 §3.1)."""
    subject: str
    """Distinguished name (RFC 4514)."""
    not_before: float
    """Seconds since the epoch, as `not_after`."""
    not_after: float
    policy: str = "Unlimited"
    key_type: KeyType = KeyType.PRODUCTION
    scopes: frozenset[str] = frozenset()
    pem: str = field(default="", repr=False)
    """As it was given, for whoever writes the catalog down again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSecurity:
    """How callers of an API show who they are.

    With mutual TLS mandatory, the connection must come with a registered certificate. With it optional, a registered
    certificate is a credential, and any other certificate is none. A good certificate never excuses a bad token or key.
    """

    oauth2: bool = True
    """Whether access tokens are accepted."""
    api_key: ApiKeyPlacement | None = None
    """Where API keys are looked for; None: they are not accepted."""
    application: Requirement = Requirement.MANDATORY
    """MANDATORY: a token or key must be shown; OPTIONAL: a registered certificate is enough. Never OFF."""
    mutual_tls: Requirement = Requirement.OFF
    certificates: tuple[RegisteredCertificate, ...] = ()


TOKENS_ONLY = ApiSecurity()
"""What an API accepts that says nothing about it."""
