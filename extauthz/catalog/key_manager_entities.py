"""Key managers as operators write them in YAML."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from extauthz.catalog.values import Id, Text, Url, is_plain_http
from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import Strict
from extauthz.model.key_manager import (
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
    MAX_CLOCK_SKEW_SECONDS,
    SIGNATURE_ALGORITHMS,
    BackendJwtMode,
    Binding,
    CredentialPlacement,
    SubscriptionValidation,
    TokenValidation,
)

Algorithms = frozenset[str]
Name = Annotated[str, Field(min_length=1, max_length=128)]
"""Of a secret in the settings."""

KEPT_CLAIMS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "cnf"})
"""What a token is checked by, and bound to (RFC 7519 §4.1, RFC 7800 §3.1)."""
REGISTERED_CLAIMS = KEPT_CLAIMS | {"sub"}


def _not_allowed(location: Location, given: frozenset[str], allowed: frozenset[str]) -> Iterator[Mistake]:
    if not given:
        yield Mistake(location=location, message="must name at least one")
    for name in sorted(given - allowed):
        yield Mistake(
            location=location, message=f"`{name}` cannot be allowed", hint=f"allowed are {', '.join(sorted(allowed))}"
        )


class CertificateDocument(Strict):
    """A PEM certificate: inline, in a file beside the catalog, or an alias in the settings' certificate directory."""

    pem: Text | None = None
    file: Text | None = None
    alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")] | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one of them."""
        if sum(place is not None for place in (self.pem, self.file, self.alias)) != 1:
            yield Mistake(location=(), message="give exactly one of `pem`, `file` and `alias`")


class DecryptionDocument(Strict):
    """How encrypted tokens are opened."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)]
    algorithms: Algorithms = frozenset({"RSA-OAEP-256"})
    encryptions: frozenset[str] = frozenset({"A256GCM"})

    def contradictions(self) -> Iterator[Mistake]:
        """Only what can be allowed."""
        yield from _not_allowed(("algorithms",), self.algorithms, KEY_MANAGEMENT_ALGORITHMS)
        yield from _not_allowed(("encryptions",), self.encryptions, CONTENT_ENCRYPTIONS)


class JwtDocument(Strict):
    """How self-contained tokens are checked."""

    jwks_uri: Url | None = None
    discovery: bool = False
    ca_file: Text | None = None
    certificates: tuple[CertificateDocument, ...] = ()
    certificate_validity: bool = True
    algorithms: Algorithms = frozenset({"RS256"})
    audiences: frozenset[Text] = frozenset()
    token_types: frozenset[Text] = frozenset()
    decryption: DecryptionDocument | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """A key must be there, and every algorithm must be a signature that can be allowed."""
        if not (self.jwks_uri or self.discovery or self.certificates):
            message = "needs `jwks_uri`, `discovery: true` or `certificates`"
            yield Mistake(location=(), message=message, hint="where are the issuer's keys?")
        if self.jwks_uri and self.discovery:
            yield Mistake(location=("discovery",), message="contradicts `jwks_uri`", hint="give one of both")
        yield from _not_allowed(("algorithms",), self.algorithms, SIGNATURE_ALGORITHMS)


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
        yield from _not_allowed(("algorithm",), frozenset({self.algorithm}), SIGNATURE_ALGORITHMS)


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
        yield from _not_allowed(("algorithms",), self.algorithms, SIGNATURE_ALGORITHMS)


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


class KeyManagerDocument(Strict):
    """A party that issues tokens."""

    id: Id
    organization: Id | None = None
    issuer: Text
    enabled: bool = True
    validation: TokenValidation = TokenValidation.JWT
    introspect_failed_jwt: bool = False
    jwt: JwtDocument | None = None
    introspection: IntrospectionDocument | None = None
    allow_plain_http: bool = False
    clock_skew_seconds: Annotated[int, Field(ge=0, le=MAX_CLOCK_SKEW_SECONDS)] = 0
    client_id_claim: Text | None = None
    scopes_claim: Text | None = None
    claim_mapping: dict[Text, Text] = Field(default_factory=dict)
    binding: Binding = Binding.NONE
    subscription_validation: SubscriptionValidation = SubscriptionValidation.CATALOG
    backend_jwt: BackendJwtMode = BackendJwtMode.GENERATE

    def contradictions(self) -> Iterator[Mistake]:
        """Some way to check tokens, what each way needs, and no answers that anybody on the way could write."""
        if self.jwt is None and self.introspection is None:
            yield Mistake(
                location=(), message="needs `jwt`, `introspection` or both", hint="how are its tokens checked?"
            )
        if self.introspection is None:
            if self.validation is TokenValidation.INTROSPECTION:
                yield Mistake(location=("validation",), message="needs `introspection`")
            if self.introspect_failed_jwt:
                yield Mistake(location=("introspect_failed_jwt",), message="needs `introspection`")
        yield from self._wrong_mappings()
        if self.introspection and self.introspection.signed_answer and self.jwt is None:
            hint = "where are the keys that signed the answer?"
            yield Mistake(location=("introspection", "signed_answer"), message="needs `jwt`", hint=hint)
        for location, url in self._endpoints():
            if not self.allow_plain_http and is_plain_http(url):
                hint = "use https, or set `allow_plain_http: true` where the network itself is trusted"
                yield Mistake(location=location, message="is plain http beyond this machine", hint=hint)

    def _wrong_mappings(self) -> Iterator[Mistake]:
        """A mapping forges nothing that the issuer said, hides nothing that a token is checked by, loses no claim."""
        seen: dict[str, str] = {}
        for remote, local in self.claim_mapping.items():
            location: Location = ("claim_mapping", remote)
            first = seen.setdefault(local, remote)
            if first != remote:
                yield Mistake(location=location, message=f"`{first}` is mapped to `{local}` already")
            if local in REGISTERED_CLAIMS:
                hint = "choose a name that RFC 7519 and RFC 7800 do not define"
                yield Mistake(location=location, message=f"would overwrite the registered claim `{local}`", hint=hint)
            elif remote in KEPT_CLAIMS:
                yield Mistake(location=location, message=f"`{remote}` keeps its name: the token is checked by it")

    def _endpoints(self) -> Iterator[tuple[Location, str]]:
        if self.jwt and self.jwt.jwks_uri:
            yield ("jwt", "jwks_uri"), self.jwt.jwks_uri
        if self.jwt and self.jwt.discovery:
            yield ("issuer",), self.issuer
        if self.introspection is None:
            return
        yield ("introspection", "endpoint"), self.introspection.endpoint
        authentication = self.introspection.authentication
        here: Location = ("introspection", "authentication")
        for name in ("client_credentials", "password", "direct_token"):
            grant = getattr(authentication, name)
            if isinstance(grant, TokenRequestDocument):
                yield (*here, name, "token_endpoint"), grant.token_endpoint
            if grant is not None and grant.refresh is not None:
                yield (*here, name, "refresh", "token_endpoint"), grant.refresh.token_endpoint


class HeaderDocument(Strict):
    """A request header that says whose token comes with it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]
    value: Text


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error.msg}") from error
    return value


class OpaqueTokenRuleDocument(Strict):
    """Which opaque tokens are sent to a key manager."""

    key_manager: Id
    organization: Id | None = None
    prefix: Text | None = None
    pattern: Annotated[str, AfterValidator(_is_pattern)] | None = None
    header: HeaderDocument | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one sign."""
        if sum(sign is not None for sign in (self.prefix, self.pattern, self.header)) != 1:
            yield Mistake(location=(), message="give exactly one of `prefix`, `pattern` and `header`")


class OpaqueTokensDocument(Strict):
    """Which key manager an opaque token belongs to."""

    rules: tuple[OpaqueTokenRuleDocument, ...] = ()
    """In this order; the first that fits and whose key manager the API accepts decides."""
    try_next: Annotated[int, Field(ge=0, le=3)] = 0
    """How many further key managers may see a token that the first calls inactive."""
