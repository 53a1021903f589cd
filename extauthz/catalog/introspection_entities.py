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
    """As the key manager knows us."""
    password: Name
    """Name of a secret."""


class ClientSecretPostDocument(Strict):
    """The client's credentials in the form."""

    client_id: Text
    """As the key manager knows us."""
    client_secret: Name
    """Name of a secret."""


class PrivateKeyJwtDocument(Strict):
    """A signed assertion (RFC 7523)."""

    client_id: Text
    """As the key manager knows us."""
    key: Name
    """Name of a secret: a private key in PEM."""
    algorithm: str = "RS256"
    """Of the signature."""
    kid: Text | None = None
    """Put into the header, so that the key manager finds the key."""
    audience: Text | None = None
    """Without it, the issuer."""

    def contradictions(self) -> Iterator[Mistake]:
        """An asymmetric signature."""
        yield from not_allowed(("algorithm",), frozenset({self.algorithm}), SIGNATURE_ALGORITHMS)


class MutualTlsDocument(Strict):
    """A client certificate (RFC 8705 §2)."""

    client_id: Text
    """As the key manager knows us."""
    certificate_file: Text
    """PEM, with its chain: who we are."""
    key: Name
    """Name of a secret: the private key of the certificate, in PEM."""


class TokenRequestDocument(Strict):
    """A request to a token endpoint."""

    token_endpoint: Url
    """https, or http on loopback or with `allow_plain_http`."""
    client_id: Text
    """As the key manager knows us."""
    client_secret: Name | None = None
    """Name of a secret; none with `credentials: none`."""
    credentials: CredentialPlacement = CredentialPlacement.HEADER
    scopes: frozenset[Text] = frozenset()
    """Asked for."""

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
    """Name of a secret: the first one."""


class ClientCredentialsDocument(TokenRequestDocument):
    """The client_credentials grant (RFC 6749 §4.4)."""

    refresh: RefreshDocument | None = None
    """Does not go with this grant."""

    def contradictions(self) -> Iterator[Mistake]:
        """No refresh: a new token is asked for with the credentials (RFC 6749 §4.4.3)."""
        yield from super().contradictions()
        if self.refresh is not None:
            hint = "refresh goes with `password` and `direct_token`; client credentials simply ask again"
            yield Mistake(location=("refresh",), message="does not go with client_credentials", hint=hint)


class PasswordDocument(TokenRequestDocument):
    """The password grant (RFC 6749 §4.3)."""

    username: Text
    """Of the user for whom we ask."""
    password: Name
    """Name of a secret."""
    refresh: RefreshDocument | None = None
    """How another one is had when it has ended."""


class DirectTokenDocument(Strict):
    """A token that the operator was given."""

    access_token: Name
    """Name of a secret."""
    refresh: RefreshDocument | None = None
    """How another one is had when it has ended."""

    def contradictions(self) -> Iterator[Mistake]:
        """Nothing but the operator can bring the first refresh token here."""
        if self.refresh and self.refresh.refresh_token is None:
            hint = "a direct token comes without one of its own"
            yield Mistake(location=("refresh", "refresh_token"), message="is missing", hint=hint)


class AuthenticationDocument(Strict):
    """How this service authenticates at the introspection endpoint."""

    basic: BasicDocument | None = None
    """HTTP Basic (RFC 6749 §2.3.1)."""
    client_secret_post: ClientSecretPostDocument | None = None
    """The client's credentials in the form."""
    private_key_jwt: PrivateKeyJwtDocument | None = None
    """A signed assertion (RFC 7523)."""
    mutual_tls: MutualTlsDocument | None = None
    """A client certificate (RFC 8705 §2)."""
    client_credentials: ClientCredentialsDocument | None = None
    """A token that we ask for (RFC 6749 §4.4)."""
    password: PasswordDocument | None = None
    """A token that we ask for (RFC 6749 §4.3)."""
    direct_token: DirectTokenDocument | None = None
    """A token that you were given."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one: which of two is meant is not ours to guess."""
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"gives {' and '.join(given)}; one is wanted" if given else "is empty"
            yield Mistake(location=(), message=message, hint=f"one of {', '.join(type(self).model_fields)}")


class CircuitBreakerDocument(Strict):
    """When an endpoint that fails is left alone."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """After so many in a row it is left alone."""
    open_seconds: Annotated[float, Field(gt=0, le=300)] = 5.0
    """For how long; then one question tries."""


class SignedAnswerDocument(Strict):
    """Introspection answers as JWTs (RFC 9701)."""

    audience: Text
    """Who must be in their `aud`: us."""
    algorithms: Algorithms = frozenset({"RS256"})
    """What they may be signed with."""
    required: bool = True
    """False: an answer that is not signed is believed as well."""

    def contradictions(self) -> Iterator[Mistake]:
        """Asymmetric signatures only."""
        yield from not_allowed(("algorithms",), self.algorithms, SIGNATURE_ALGORITHMS)


class IntrospectionDocument(Strict):
    """How tokens are introspected."""

    endpoint: Url
    """Asked with POST; https, or http on loopback or with `allow_plain_http`."""
    authentication: AuthenticationDocument
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 1.0
    """For a new connection, TLS included."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    """For everything; keep it below `limits.check_seconds`."""
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Questions at one time in one process; more wait for their turn."""
    circuit_breaker: CircuitBreakerDocument = CircuitBreakerDocument()
    ca_file: Text | None = None
    """PEM; these authorities are trusted and no others. None: those of the system."""
    signed_answer: SignedAnswerDocument | None = None
    """Answers are JWTs (RFC 9701)."""
    audiences: frozenset[Text] = frozenset()
    """One of them must be in `aud`; none: it is not looked at."""
    token_types: frozenset[Text] = frozenset()
    """Accepted `token_type` of the answer; none: any."""
    stale_if_error_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """How long past its time a fact is believed while the endpoint fails."""


class UserinfoDocument(Strict):
    """Where claims about users are asked for."""

    endpoint: Url
    """Asked with GET and the caller's own token."""
    ttl_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long an answer is used for its token."""
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 1.0
    """For a new connection, TLS included."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    """For everything; keep it below `limits.check_seconds`."""
    max_concurrent: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Questions at one time in one process; more wait for their turn."""
    circuit_breaker: CircuitBreakerDocument = CircuitBreakerDocument()
    ca_file: Text | None = None
    """PEM; these authorities are trusted and no others. None: those of the system."""
