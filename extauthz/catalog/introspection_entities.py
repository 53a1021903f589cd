"""A key manager's endpoints, and how we authenticate there, as operators write them in YAML."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from extauthz.catalog.values import Name, Text, Url, not_allowed
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.key_manager import SIGNATURE_ALGORITHMS, CredentialPlacement

Algorithms = frozenset[str]


class BasicDocument(Strict):
    """HTTP Basic."""

    username: Text
    password: Name


class ClientSecretPostDocument(Strict):
    """The client's credentials in the form."""

    client_id: Text
    client_secret: Name


class PrivateKeyJwtDocument(Strict):
    """A signed assertion (RFC 7523)."""

    client_id: Text
    key: Name
    algorithm: str = "RS256"
    kid: Text | None = None
    audience: Text | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """An asymmetric signature."""
        yield from not_allowed(("algorithm",), frozenset({self.algorithm}), SIGNATURE_ALGORITHMS)


class MutualTlsDocument(Strict):
    """A client certificate (RFC 8705 §2)."""

    client_id: Text
    certificate_file: Text
    key: Name


class TokenRequestDocument(Strict):
    """A request to a token endpoint."""

    token_endpoint: Url
    client_id: Text
    client_secret: Name | None = None
    credentials: CredentialPlacement = CredentialPlacement.HEADER
    scopes: frozenset[Text] = frozenset()

    def contradictions(self) -> Iterator[Mistake]:
        """Credentials that are to be sent must be there, and those that are not must not."""
        sent = self.credentials is not CredentialPlacement.NONE
        if sent and self.client_secret is None:
            hint = "or `credentials: none` for a client without one"
            yield Mistake(location=("client_secret",), message="is missing", hint=hint)
        if not sent and self.client_secret is not None:
            yield Mistake(location=("client_secret",), message="contradicts `credentials: none`: it would not be sent")


class RefreshDocument(TokenRequestDocument):
    """The refresh grant (RFC 6749 §6)."""

    refresh_token: Name | None = None


class ClientCredentialsDocument(TokenRequestDocument):
    """The client_credentials grant (RFC 6749 §4.4)."""

    refresh: RefreshDocument | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """No refresh: a new token is asked for with the credentials (RFC 6749 §4.4.3)."""
        yield from super().contradictions()
        if self.refresh is not None:
            hint = "refresh goes with `password` and `direct_token`; client credentials simply ask again"
            yield Mistake(location=("refresh",), message="does not go with client_credentials", hint=hint)


class PasswordDocument(TokenRequestDocument):
    """The password grant (RFC 6749 §4.3)."""

    username: Text
    password: Name
    refresh: RefreshDocument | None = None


class DirectTokenDocument(Strict):
    """A token that the operator was given."""

    access_token: Name
    refresh: RefreshDocument | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """Nothing but the operator can bring the first refresh token here."""
        if self.refresh and self.refresh.refresh_token is None:
            hint = "a direct token comes without one of its own"
            yield Mistake(location=("refresh", "refresh_token"), message="is missing", hint=hint)


class AuthenticationDocument(Strict):
    """How this service authenticates at the introspection endpoint."""

    basic: BasicDocument | None = None
    client_secret_post: ClientSecretPostDocument | None = None
    private_key_jwt: PrivateKeyJwtDocument | None = None
    mutual_tls: MutualTlsDocument | None = None
    client_credentials: ClientCredentialsDocument | None = None
    password: PasswordDocument | None = None
    direct_token: DirectTokenDocument | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one: which of two is meant is not ours to guess."""
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"gives {' and '.join(given)}; one is wanted" if given else "is empty"
            yield Mistake(location=(), message=message, hint=f"one of {', '.join(type(self).model_fields)}")


class CircuitBreakerDocument(Strict):
    """When an endpoint that fails is left alone."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    open_seconds: Annotated[float, Field(gt=0, le=300)] = 5.0


class SignedAnswerDocument(Strict):
    """Introspection answers as JWTs (RFC 9701)."""

    audience: Text
    algorithms: Algorithms = frozenset({"RS256"})
    required: bool = True

    def contradictions(self) -> Iterator[Mistake]:
        """Asymmetric signatures only."""
        yield from not_allowed(("algorithms",), self.algorithms, SIGNATURE_ALGORITHMS)


class IntrospectionDocument(Strict):
    """How tokens are introspected."""

    endpoint: Url
    authentication: AuthenticationDocument
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 1.0
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 100
    circuit_breaker: CircuitBreakerDocument = CircuitBreakerDocument()
    ca_file: Text | None = None
    signed_answer: SignedAnswerDocument | None = None
    audiences: frozenset[Text] = frozenset()
    token_types: frozenset[Text] = frozenset()
    stale_if_error_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0


class UserinfoDocument(Strict):
    """Where claims about users are asked for."""

    endpoint: Url
    ttl_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 1.0
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 100
    circuit_breaker: CircuitBreakerDocument = CircuitBreakerDocument()
    ca_file: Text | None = None
