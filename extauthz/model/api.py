"""APIs and their resources."""

from dataclasses import dataclass
from enum import StrEnum

from extauthz.model.key_manager import DEFAULT_ORGANIZATION


class ApiState(StrEnum):
    """Life cycle of an API as far as a gateway cares."""

    PUBLISHED = "PUBLISHED"
    BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A part of an API: a URI template and the methods it answers to."""

    template: str
    """Relative to the API's context: `/pets`, `/pets/{petId}`, `/files/*`."""
    methods: frozenset[str]
    scopes: frozenset[str] = frozenset()
    """Any one of them is enough (wso2-facts §1.7); empty: none is needed."""
    open: bool = False
    """Needs no token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API as it is published. Unique by id, and by (host, context)."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    name: str
    version: str
    context: str
    """The base path as requests carry it, e.g. `/petstore/v1`; `/` for a whole host."""
    hosts: frozenset[str] = frozenset()
    """`api.example.com` or `*.example.com`; empty: any host."""
    publisher: str = ""
    state: ApiState = ApiState.PUBLISHED
    resources: tuple[Resource, ...] = ()
    key_managers: frozenset[str] | None = None
    """Ids of the key managers whose tokens are accepted; None: every one of the organization (seed 001)."""
    subscription_required: bool = True
    forward_authorization: bool = False
    """Whether the client's Authorization header goes on to the upstream."""
    backend_jwt: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMatch:
    """Which API and resource a request is for."""

    api: Api
    resource: Resource
