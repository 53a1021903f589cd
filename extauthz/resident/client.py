"""OAuth clients as the authorization server sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from extauthz.resident.client_secret import is_secret
from extauthz.resident.settings import ClientSettings

GRANT_TYPES = frozenset({"client_credentials"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client. The `get_` and `check_` methods are what Authlib's server asks of one."""

    client_id: str
    secret_digest: bytes = field(repr=False)
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - the name of a method
    token_format: Literal["jwt", "opaque"] = "jwt"  # noqa: S105 - a format
    scopes: tuple[str, ...] = ()
    access_token_lifetime_seconds: int | None = None
    may_introspect: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: ClientSettings, secret_digest: bytes) -> "Client":
        """The client that the settings describe; the digest is of the secret that they refer to."""
        return cls(
            client_id=settings.client_id,
            secret_digest=secret_digest,
            token_endpoint_auth_method=settings.token_endpoint_auth_method,
            token_format=settings.token_format,
            scopes=settings.scopes,
            access_token_lifetime_seconds=settings.access_token_lifetime_seconds,
            may_introspect=settings.may_introspect,
            claims=settings.claims,
        )

    def get_client_id(self) -> str:
        """The identifier."""
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scope to grant; None if the client asks for more than it may have.

        RFC 6749 §3.3 leaves the choice: a client that names no scope gets all of its own, and one that may not have
        everything it names gets nothing, rather than a token that is quietly worth less.
        """
        asked = tuple(dict.fromkeys(scope.split(" "))) if scope else self.scopes
        return " ".join(asked) if set(asked) <= set(self.scopes) else None

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the client's secret; takes the same time for any answer."""
        return is_secret(client_secret, self.secret_digest)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether the client authenticates in this way; one way for all endpoints."""
        return method == self.token_endpoint_auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant."""
        return grant_type in GRANT_TYPES
