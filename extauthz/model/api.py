"""APIs and their resources."""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from extauthz.model.api_security import TOKENS_ONLY, ApiSecurity
from extauthz.model.application import EVERY_KEY_TYPE, KeyType
from extauthz.model.cors import Cors
from extauthz.model.key_manager import DEFAULT_ORGANIZATION

WEBSOCKET = "WEBSOCKET"
"""In the place of a method: a GET that asks for an upgrade to the WebSocket protocol (RFC 6455 §4.1)."""


class ApiState(StrEnum):
    """Life cycle of an API as far as a gateway cares."""

    PUBLISHED = "PUBLISHED"
    BLOCKED = "BLOCKED"


class ScopeRule(StrEnum):
    """How many of a resource's scopes a caller needs."""

    ANY = "any"
    """WSO2's rule (wso2-facts §1.7)."""
    ALL = "all"


class ScopeMatching(StrEnum):
    """What a granted scope covers."""

    EXACT = "exact"
    HIERARCHICAL = "hierarchical"
    """`pets` covers `pets.read`, `pets:read` and `pets/read` as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A part of an API: a URI template and the methods it answers to."""

    template: str
    """Relative to the API's context: `/pets`, `/pets/{petId}`, `/files/*`."""
    methods: frozenset[str]
    """Of HTTP, and WEBSOCKET."""
    scopes: frozenset[str] = frozenset()
    """Empty: none is needed."""
    scope_rule: ScopeRule = ScopeRule.ANY
    open: bool = False
    """Needs no credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API as it is published. Unique by id, and by (host, context)."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    name: str
    version: str
    context: str
    """The base path as requests carry it, e.g. `/petstore/v1`; `/` for a whole host."""
    default_context: str | None = None
    """A second base path, without the version: where this is the default version; None: it is not."""
    hosts: frozenset[str] = frozenset()
    """`api.example.com` or `*.example.com`; empty: any host."""
    publisher: str = ""
    state: ApiState = ApiState.PUBLISHED
    resources: tuple[Resource, ...] = ()
    key_managers: frozenset[str] | None = None
    """Ids of the key managers whose tokens are accepted; None: every one of the organization (seed 001)."""
    security: ApiSecurity = TOKENS_ONLY
    subscription_required: bool = True
    key_types: frozenset[KeyType] = EVERY_KEY_TYPE
    """What callers' keys may be for: an API without a sandbox takes no sandbox keys."""
    audiences: frozenset[str] = frozenset()
    """One of them must be in a token's `aud`; empty: `aud` is not looked at (wso2-facts §1.4, 900914)."""
    scope_matching: ScopeMatching = ScopeMatching.EXACT
    cors: Cors | None = None
    """None: preflights are requests like any other, and refusals carry no CORS headers."""
    forward_authorization: bool = False
    """Whether the client's Authorization header goes on to the upstream."""
    forward_client_certificate: bool = False
    """Whether `x-forwarded-client-cert` goes on to the upstream."""
    backend_jwt: bool = True
    backend_jwt_audience: tuple[str, ...] = ()
    """Empty: that of the settings."""
    shadow: bool = False
    """Whether what would be refused is let through, and only recorded."""


class ResourceMatch(Struct, frozen=True):
    """Which API and resource a request is for."""

    api: Api
    resource: Resource
    preflight: bool = False
    """A CORS preflight that the API lets through: a question of the browser, without any credential."""
