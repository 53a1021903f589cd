"""Key managers as operators write them in YAML."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from extauthz.catalog.introspection_entities import IntrospectionDocument, TokenRequestDocument, UserinfoDocument
from extauthz.catalog.values import Id, Name, Pem, Text, Url, is_plain_http, not_allowed
from extauthz.document.mistakes import Location, Mistake
from extauthz.document.strict import Strict
from extauthz.model.key_manager import (
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
    MAX_CLOCK_SKEW_SECONDS,
    SIGNATURE_ALGORITHMS,
    BackendJwtMode,
    Binding,
    SubscriptionValidation,
    TokenValidation,
)

Algorithms = frozenset[str]
KEPT_CLAIMS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "cnf"})
"""What a token is checked by, and bound to (RFC 7519 §4.1, RFC 7800 §3.1)."""
REGISTERED_CLAIMS = KEPT_CLAIMS | {"sub"}


class CertificateDocument(Strict):
    """A PEM certificate: inline, in a file beside the catalog, or an alias in the settings' certificate directory."""

    pem: Pem | None = None
    """Inline."""
    file: Text | None = None
    """Relative to the catalog."""
    alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")] | None = None
    """`name` for `name.pem` in `certificate_directory`."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one of them."""
        if sum(place is not None for place in (self.pem, self.file, self.alias)) != 1:
            yield Mistake(location=(), message="give exactly one of `pem`, `file` and `alias`")


class DecryptionDocument(Strict):
    """How encrypted tokens are opened."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names of secrets: private keys in PEM."""
    algorithms: Algorithms = frozenset({"RSA-OAEP-256"})
    """Accepted `alg` of encrypted tokens."""
    encryptions: frozenset[str] = frozenset({"A256GCM"})
    """Accepted `enc` of encrypted tokens."""

    def contradictions(self) -> Iterator[Mistake]:
        """Only what can be allowed."""
        yield from not_allowed(("algorithms",), self.algorithms, KEY_MANAGEMENT_ALGORITHMS)
        yield from not_allowed(("encryptions",), self.encryptions, CONTENT_ENCRYPTIONS)


class JwtDocument(Strict):
    """How self-contained tokens are checked."""

    jwks_uri: Url | None = None
    """The issuer's JWK set."""
    discovery: bool = False
    """In the place of `jwks_uri`: the metadata of the issuer name it."""
    ca_file: Text | None = None
    """PEM file, relative to the catalog, of the only authorities that are trusted there; else those of the system."""
    certificates: tuple[CertificateDocument, ...] = ()
    """Pin keys; who signed them is not looked at."""
    certificate_validity: bool = True
    """Whether a certificate verifies between its own dates only."""
    algorithms: Algorithms = frozenset({"RS256"})
    """Of signatures; never `none`, never HS*."""
    audiences: frozenset[Text] = frozenset()
    """One of them must be in `aud`; none: it is not looked at."""
    token_types: frozenset[Text] = frozenset()
    """Accepted `typ` headers, e.g. `at+jwt`; none: any."""
    decryption: DecryptionDocument | None = None
    """Opens encrypted tokens."""

    def contradictions(self) -> Iterator[Mistake]:
        """A key must be there, and every algorithm must be a signature that can be allowed."""
        if not (self.jwks_uri or self.discovery or self.certificates):
            message = "needs `jwks_uri`, `discovery: true` or `certificates`"
            yield Mistake(location=(), message=message, hint="where are the issuer's keys?")
        if self.jwks_uri and self.discovery:
            yield Mistake(location=("discovery",), message="contradicts `jwks_uri`", hint="give one of both")
        yield from not_allowed(("algorithms",), self.algorithms, SIGNATURE_ALGORITHMS)


class KeyManagerDocument(Strict):
    """A party that issues tokens."""

    id: Id
    """Unique in its organization."""
    organization: Id | None = None
    """Without one, that of the file."""
    issuer: Text
    """Compared with `iss` exactly."""
    enabled: bool = True
    """`false`: its tokens are refused."""
    validation: TokenValidation = TokenValidation.JWT
    """`introspection`: JWTs are introspected, never checked here."""
    introspect_failed_jwt: bool = False
    """Whether a JWT that no key of the issuer made is introspected before it is refused."""
    jwt: JwtDocument | None = None
    """How its JWTs are checked; without it they are refused."""
    introspection: IntrospectionDocument | None = None
    """How its opaque tokens are checked."""
    userinfo: UserinfoDocument | None = None
    """Where claims about users are asked for, for the backend JWT."""
    allow_plain_http: bool = False
    """Lets endpoints beyond loopback be plain http."""
    clock_skew_seconds: Annotated[int, Field(ge=0, le=MAX_CLOCK_SKEW_SECONDS)] = 0
    """Added to `exp`, subtracted from `nbf`."""
    client_id_claim: Text | None = None
    """Without it `azp`, then `client_id`."""
    scopes_claim: Text | None = None
    """Without it `scope`, then `scp`."""
    claim_mapping: dict[Text, Text] = Field(default_factory=dict)
    """Names of claims to ours, for the backend JWT."""
    binding: Binding = Binding.NONE
    """Tokens that are not bound to their client in this way are refused."""
    subscription_validation: SubscriptionValidation = SubscriptionValidation.CATALOG
    """Who says that an application has subscribed: the catalog, the token, or nobody."""
    backend_jwt: BackendJwtMode = BackendJwtMode.GENERATE
    """`pass_through`: the one in the token, if it has one."""

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
        if self.userinfo and self.binding is not Binding.NONE:
            hint = "a bound token cannot be used at the userinfo endpoint"
            yield Mistake(location=("userinfo",), message=f"contradicts `binding: {self.binding.value}`", hint=hint)
        yield from self._wrong_mappings()
        if self.introspection and self.introspection.signed_answer and self.jwt is None:
            hint = "where are the keys that signed the answer?"
            yield Mistake(location=("introspection", "signed_answer"), message="needs `jwt`", hint=hint)
        for location, url in self.endpoints():
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

    def endpoints(self) -> Iterator[tuple[Location, str]]:
        """Where requests of ours go to, or come from; `issuer` if something is asked there."""
        if self.jwt and self.jwt.jwks_uri:
            yield ("jwt", "jwks_uri"), self.jwt.jwks_uri
        if self.jwt and self.jwt.discovery:
            yield ("issuer",), self.issuer
        if self.userinfo:
            yield ("userinfo", "endpoint"), self.userinfo.endpoint
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
