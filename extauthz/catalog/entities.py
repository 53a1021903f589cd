"""The catalog's entities as operators write them in YAML."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from extauthz.catalog.resource_template import ambiguities, template_problem
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.api import ApiState, Resource
from extauthz.model.application import KeyType
from extauthz.model.key_manager import (
    MAX_CLOCK_SKEW_SECONDS,
    SIGNATURE_ALGORITHMS,
    BackendJwtMode,
    SubscriptionValidation,
)
from extauthz.model.subscription import SubscriptionState

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_HOST_PATTERN = r"^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$|^\[[0-9A-Fa-f:.]+\]$"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$")]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


def _is_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an http or https URL without user name and fragment")
    return value


Url = Annotated[str, AfterValidator(_is_url)]


class CertificateDocument(Strict):
    """A PEM certificate: inline, or in a file beside the catalog."""

    pem: Text | None = None
    file: Text | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one of both."""
        if (self.pem is None) == (self.file is None):
            yield Mistake(location=(), message="give exactly one of `pem` and `file`")


class JwtDocument(Strict):
    """How self-contained tokens are checked."""

    jwks_uri: Url | None = None
    certificates: tuple[CertificateDocument, ...] = ()
    algorithms: frozenset[str] = frozenset({"RS256"})
    audiences: frozenset[Text] = frozenset()
    token_types: frozenset[Text] = frozenset()

    def contradictions(self) -> Iterator[Mistake]:
        """A key must be there, and every algorithm must be a signature that can be allowed."""
        if not self.jwks_uri and not self.certificates:
            yield Mistake(
                location=(), message="needs `jwks_uri` or `certificates`", hint="where are the issuer's keys?"
            )
        for algorithm in sorted(self.algorithms - SIGNATURE_ALGORITHMS):
            yield Mistake(
                location=("algorithms",),
                message=f"`{algorithm}` cannot be allowed",
                hint=f"allowed are {', '.join(sorted(SIGNATURE_ALGORITHMS))}",
            )
        if not self.algorithms:
            yield Mistake(location=("algorithms",), message="must name at least one algorithm")


class BasicDocument(Strict):
    """HTTP Basic; `password` names one of the process's secrets."""

    username: Text
    password: Text


class AuthenticationDocument(Strict):
    """How this service authenticates at the introspection endpoint."""

    basic: BasicDocument


class IntrospectionDocument(Strict):
    """How opaque tokens are checked."""

    endpoint: Url
    authentication: AuthenticationDocument
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    audiences: frozenset[Text] = frozenset()


class KeyManagerDocument(Strict):
    """A party that issues tokens."""

    id: Id
    organization: Id | None = None
    issuer: Text
    enabled: bool = True
    jwt: JwtDocument | None = None
    introspection: IntrospectionDocument | None = None
    allow_plain_http: bool = False
    clock_skew_seconds: Annotated[int, Field(ge=0, le=MAX_CLOCK_SKEW_SECONDS)] = 0
    client_id_claim: Text | None = None
    scopes_claim: Text | None = None
    subscription_validation: SubscriptionValidation = SubscriptionValidation.CATALOG
    backend_jwt: BackendJwtMode = BackendJwtMode.GENERATE

    def contradictions(self) -> Iterator[Mistake]:
        """Some way to check tokens, and no endpoint whose answers anybody on the way could write."""
        if self.jwt is None and self.introspection is None:
            yield Mistake(
                location=(), message="needs `jwt`, `introspection` or both", hint="how are its tokens checked?"
            )
        endpoints = (
            (("jwt", "jwks_uri"), self.jwt.jwks_uri if self.jwt else None),
            (("introspection", "endpoint"), self.introspection.endpoint if self.introspection else None),
        )
        for location, url in endpoints:
            if url and not self.allow_plain_http and _is_plain_http(url):
                hint = "use https, or set `allow_plain_http: true` where the network itself is trusted"
                yield Mistake(location=location, message="is plain http beyond this machine", hint=hint)


def _is_plain_http(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS


class ResourceDocument(Strict):
    """A part of an API."""

    template: Text
    methods: Annotated[frozenset[str], Field(min_length=1)]
    scopes: frozenset[Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]] = frozenset()
    open: bool = False

    def contradictions(self) -> Iterator[Mistake]:
        """A template that requests can have, known methods, and no scopes on an open resource."""
        if problem := template_problem(self.template):
            yield Mistake(location=("template",), message=problem)
        for method in sorted(self.methods - METHODS):
            known = ", ".join(sorted(METHODS))
            yield Mistake(location=("methods",), message=f"`{method}` is no method", hint=f"known are {known}")
        if self.open and self.scopes:
            hint = "an open resource is reached without a token"
            yield Mistake(location=("scopes",), message="contradicts `open: true`", hint=hint)


class ApiDocument(Strict):
    """An API and its resources."""

    id: Id
    organization: Id | None = None
    name: Text
    version: Text
    context: Text
    hosts: frozenset[Annotated[str, Field(pattern=_HOST_PATTERN)]] = frozenset()
    publisher: str = ""
    state: ApiState = ApiState.PUBLISHED
    resources: Annotated[tuple[ResourceDocument, ...], Field(min_length=1)]
    key_managers: frozenset[Id] | None = None
    subscription_required: bool = True
    forward_authorization: bool = False
    backend_jwt: bool = True

    def contradictions(self) -> Iterator[Mistake]:
        """A context that requests can begin with, and one answer for every method of every path."""
        problem = template_problem(self.context)
        if problem or any(character in self.context for character in "{}*"):
            yield Mistake(location=("context",), message=problem or "is a plain path, without parameters")
        elif self.context != "/" and self.context.endswith("/"):
            yield Mistake(location=("context",), message="must not end with /")
        if any(template_problem(resource.template) for resource in self.resources):
            return
        resources = [Resource(template=r.template, methods=r.methods) for r in self.resources]
        for index, method in ambiguities(resources):
            message = f"{method} of this path is answered by a resource above"
            yield Mistake(location=("resources", index), message=message)


class ApplicationKeyDocument(Strict):
    """A client of an application."""

    key_manager: Id
    client_id: Text
    key_type: KeyType = KeyType.PRODUCTION


class ApplicationDocument(Strict):
    """A consumer of APIs."""

    id: Id
    organization: Id | None = None
    name: Text
    owner: str = ""
    policy: Text = "Unlimited"
    attributes: dict[str, str] = Field(default_factory=dict)
    keys: tuple[ApplicationKeyDocument, ...] = ()


class SubscriptionDocument(Strict):
    """An application's right to call an API; `id` is made of both where it is not given."""

    application: Id
    api: Id
    id: Id | None = None
    organization: Id | None = None
    policy: Text = "Unlimited"
    state: SubscriptionState = SubscriptionState.UNBLOCKED
