"""The token that tells the upstream who called, and the headers beside it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import HeaderName, Text


class SigningAlgorithm(StrEnum):
    """How the backend JWT is signed."""

    RS256 = "RS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


class BackendJwtKeySettings(Strict):
    """A key of backend JWTs."""

    key: Text
    """Name of a secret: a private key in PEM, RSA of at least 2048 bits, EC P-256 or Ed25519."""
    algorithm: SigningAlgorithm = SigningAlgorithm.RS256
    certificate: Text | None = None
    """PEM file with the certificate of the key: then `x5t#S256` is in the header, and `x5c` in the JWK set."""


class BackendJwtSettings(Strict):
    """The token that tells the upstream who called."""

    keys: tuple[BackendJwtKeySettings, ...] = ()
    """The first signs, all are published: the next one before it signs, the last one until its JWTs have ended.

    None: no backend JWT is made; those that issuers make travel in `header` all the same.
    """
    header: HeaderName = "X-JWT-Assertion"
    """The request header that carries it."""
    issuer: Text = "wso2.org/products/am"
    """Its `iss`."""
    audience: tuple[Text, ...] = ()
    """Its `aud`, unless the API has its own."""
    dialect: Text = "http://wso2.org/claims"
    """Prefix of the claims about the caller."""
    convert_dialect: bool = False
    """Whether claims of the token and of the user are prefixed with the dialect as well."""
    restricted_claims: frozenset[Text] = frozenset()
    """Claims that are not copied from tokens, beside those that never are."""
    ttl_seconds: Annotated[int, Field(ge=10, le=86_400)] = 900
    """Must outlive Envoy's retries of one request; API Manager's default."""
    jwks_max_age_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """How long upstreams may keep the JWK set; a new key must be published for that long before it signs."""


class HeaderEncoding(StrEnum):
    """How a claim's value becomes a header's."""

    PERCENT = "percent"
    """Printable ASCII but `%` and `,` as it is, all else as percent-encoded UTF-8 (RFC 3986 §2.1)."""
    PLAIN = "plain"
    """As it is; a value that is not printable ASCII refuses the request."""
    BASE64URL = "base64url"
    """UTF-8 in base64url without padding."""
    JSON = "json"
    """JSON in ASCII."""


class UpstreamHeaderSettings(Strict):
    """A header that tells the upstream one thing; ours alone: a client's is removed, on open resources as well."""

    claim: Text | None = None
    """Of the token. Claims of the userinfo endpoint are in the backend JWT only."""
    attribute: Text | None = None
    """`application`, `client_id`, `subject`, `subscription_policy`, ...: a name of the dynamic metadata."""
    encoding: HeaderEncoding = HeaderEncoding.PERCENT

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one source."""
        if (self.claim is None) == (self.attribute is None):
            yield Mistake(location=(), message="give exactly one of `claim` and `attribute`")
