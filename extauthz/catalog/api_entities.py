"""APIs as operators write them in YAML."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from extauthz.catalog.key_manager_entities import CertificateDocument
from extauthz.catalog.resource_template import ambiguities, template_problem
from extauthz.catalog.values import Id, Scope, Text
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.api import WEBSOCKET, ApiState, Resource, ScopeMatching, ScopeRule
from extauthz.model.api_security import Requirement
from extauthz.model.application import KeyType
from extauthz.model.cors import ANY_ORIGIN
from extauthz.model.header_name import MAX_DASHES

_HOST_PATTERN = r"^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$|^\[[0-9A-Fa-f:.]+\]$"
_ORIGIN_PATTERN = (
    r"^\*$|^[a-z][a-z0-9+.-]*://[a-z0-9.-]+(?::[0-9]{1,5})?$|^[a-z][a-z0-9+.-]*://\[[0-9a-f:.]+\](?::[0-9]{1,5})?$"
)
_DEFAULT_PORT = re.compile(r"^http://.*:80$|^https://.*:443$")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", WEBSOCKET})
VERSION = "{version}"
"""In a context: where the API's version stands."""

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$")]
Host = Annotated[str, Field(pattern=_HOST_PATTERN)]
Origin = Annotated[str, Field(pattern=_ORIGIN_PATTERN)]


class ResourceDocument(Strict):
    """A part of an API."""

    template: Text
    """Relative to the context: `/pets`, `/pets/{petId}`, `/files/*`."""
    methods: Annotated[frozenset[str], Field(min_length=1)]
    """Of HTTP, and WEBSOCKET."""
    scopes: frozenset[Scope] = frozenset()
    """None: no scope is needed."""
    scope_rule: ScopeRule = ScopeRule.ANY
    """Whether one of the scopes is enough, or all are needed."""
    open: bool = False
    """Needs no credential."""

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


class ApiKeyPlacementDocument(Strict):
    """Where requests carry an API key."""

    header: HeaderName | None = None
    """Name of a request header."""
    query: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,128}$")] | None = None
    """Name of a query parameter, case-sensitive."""

    def contradictions(self) -> Iterator[Mistake]:
        """Somewhere, and not in the place of the access token."""
        if self.header is None and self.query is None:
            yield Mistake(location=(), message="needs `header`, `query` or both")
        if self.header is not None and self.header.lower() in _NO_API_KEY_HEADERS:
            yield Mistake(location=("header",), message=f"`{self.header}` has another meaning")
        if self.header is not None and self.header.count("-") > MAX_DASHES:
            yield Mistake(location=("header",), message="has too many dashes: Envoy removes each spelling of it")


_NO_API_KEY_HEADERS = frozenset(
    {"authorization", "cookie", "host", "dpop", "origin", "referer", "upgrade", "connection", "content-type", "accept"}
    | {"x-forwarded-for", "x-forwarded-client-cert", "x-request-id", "access-control-request-method", "content-length"}
)


class RegisteredCertificateDocument(CertificateDocument):
    """A client certificate that an API knows."""

    policy: Text = "Unlimited"
    """Tier of whoever calls with it, as that of a subscription."""
    key_type: KeyType = KeyType.PRODUCTION
    """What its calls are for."""
    scopes: frozenset[Scope] = frozenset()
    """Granted to whoever calls with it."""


class ApiSecurityDocument(Strict):
    """Which credentials an API accepts."""

    oauth2: bool = True
    """Whether access tokens are accepted."""
    api_key: ApiKeyPlacementDocument | None = None
    """Where API keys are looked for; without it none is accepted."""
    application: Requirement = Requirement.MANDATORY
    """`mandatory`: a token or key must be shown; `optional`: a registered certificate is enough."""
    mutual_tls: Requirement = Requirement.OFF
    """Whether the connection must come with a registered certificate."""
    certificates: tuple[RegisteredCertificateDocument, ...] = ()
    """Client certificates that the API knows."""

    def contradictions(self) -> Iterator[Mistake]:
        """Some credential, and certificates where they are looked at."""
        uses_certificates = self.mutual_tls is not Requirement.OFF
        if self.application is Requirement.OFF:
            yield Mistake(location=("application",), message="must be `mandatory` or `optional`")
        if self.application is Requirement.OPTIONAL and not uses_certificates:
            hint = "a caller would need nothing; say `open: true` at resources where that is meant"
            yield Mistake(location=("application",), message="needs `mutual_tls`", hint=hint)
        if self.application is Requirement.MANDATORY and not self.oauth2 and self.api_key is None:
            yield Mistake(location=("oauth2",), message="leaves no token and no key to show")
        if uses_certificates != bool(self.certificates):
            message = "is missing" if uses_certificates else "needs `mutual_tls: optional` or `mandatory`"
            yield Mistake(location=("certificates",), message=message)


class CorsDocument(Strict):
    """Whose scripts may call."""

    origins: Annotated[frozenset[Origin], Field(min_length=1)]
    """As browsers write them, `https://app.example.com`; or `*` alone."""
    credentials: bool = False
    """Whether scripts may send cookies and the like; not with `*`."""
    exposed_headers: frozenset[HeaderName] = frozenset()
    """Headers of a refusal that scripts may read."""

    def contradictions(self) -> Iterator[Mistake]:
        """Browsers refuse `*` with credentials (Fetch standard, CORS check), and we send no list."""
        if ANY_ORIGIN in self.origins and len(self.origins) > 1:
            yield Mistake(location=("origins",), message="`*` stands alone")
        if ANY_ORIGIN in self.origins and self.credentials:
            yield Mistake(location=("credentials",), message="contradicts `*`", hint="name the origins")
        for origin in sorted(self.origins):
            if _DEFAULT_PORT.search(origin):
                hint = "browsers leave the default port out"
                yield Mistake(location=("origins",), message=f"no browser sends `{origin}`", hint=hint)


class ApiDocument(Strict):
    """An API and its resources."""

    id: Id
    """Unique among all organizations; it names the API in routes, subscriptions and logs."""
    organization: Id | None = None
    """Without one, that of the file."""
    name: Text
    """Told to the upstream."""
    version: Text
    """Told to the upstream; stands for `{version}` in the context."""
    context: Text
    """The base path, e.g. `/petstore/v1`; `{version}` stands for the version."""
    default_version: bool = False
    """Whether the API answers at the context without `{version}` as well."""
    hosts: frozenset[Host] = frozenset()
    """`api.example.com` or `*.example.com`; none: any host."""
    publisher: str = ""
    """Told to the upstream."""
    state: ApiState = ApiState.PUBLISHED
    """A blocked API refuses every request with 503."""
    resources: Annotated[tuple[ResourceDocument, ...], Field(min_length=1)]
    """What it answers; the most specific template decides."""
    key_managers: frozenset[Id] | None = None
    """Ids of those whose tokens are accepted; without it, every one of the organization."""
    security: ApiSecurityDocument = ApiSecurityDocument()
    subscription_required: bool = True
    """Whether the application of the caller must have subscribed."""
    key_types: Annotated[frozenset[KeyType], Field(min_length=1)] = frozenset(KeyType)
    """What the keys of callers may be for."""
    audiences: frozenset[Text] = frozenset()
    """One of them must be in the token's `aud`; none: it is not looked at."""
    scope_matching: ScopeMatching = ScopeMatching.EXACT
    """`hierarchical`: the scope `pets` covers `pets.read`, `pets:read` and `pets/read`."""
    cors: CorsDocument | None = None
    """Without it, preflights are requests like any other."""
    forward_authorization: bool = False
    """Whether the Authorization header goes on to the upstream."""
    forward_client_certificate: bool = False
    """Whether `x-forwarded-client-cert` goes on to the upstream."""
    backend_jwt: bool = True
    """Whether the upstream gets one."""
    backend_jwt_audience: tuple[Text, ...] = ()
    """In the place of that of the settings."""
    shadow: bool = False
    """Whether what would be refused is let through, and only recorded."""

    def contradictions(self) -> Iterator[Mistake]:
        """A context that requests can begin with, and one answer for every method of every path."""
        yield from self._wrong_context()
        if any(template_problem(resource.template) for resource in self.resources):
            return
        resources = [Resource(template=r.template, methods=r.methods) for r in self.resources]
        for index, method in ambiguities(resources):
            message = f"{method} of this path is answered by a resource above"
            yield Mistake(location=("resources", index), message=message)

    def _wrong_context(self) -> Iterator[Mistake]:
        context = self.full_context()
        problem = template_problem(context)
        if problem or any(character in context for character in "{}*"):
            message = problem or f"is a plain path, with no parameter but the one segment `{VERSION}`"
            yield Mistake(location=("context",), message=message)
        elif context != "/" and context.endswith("/"):
            yield Mistake(location=("context",), message="must not end with /")
        if self.default_version and VERSION not in self.context.split("/"):
            hint = f"e.g. `/petstore/{VERSION}`, which then answers at `/petstore` as well"
            yield Mistake(location=("default_version",), message=f"needs `{VERSION}` in the context", hint=hint)

    def full_context(self) -> str:
        """The context with the version in its place."""
        return "/".join(self.version if part == VERSION else part for part in self.context.split("/"))

    def default_context(self) -> str | None:
        """The context without the version, where requests without one come here."""
        if not self.default_version:
            return None
        return "/".join(part for part in self.context.split("/") if part != VERSION) or "/"
