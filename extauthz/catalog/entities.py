"""APIs, applications and subscriptions as operators write them in YAML."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from extauthz.catalog.resource_template import ambiguities, template_problem
from extauthz.catalog.values import Id, Text
from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.model.api import ApiState, Resource
from extauthz.model.application import KeyType
from extauthz.model.subscription import SubscriptionState

_HOST_PATTERN = r"^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$|^\[[0-9A-Fa-f:.]+\]$"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


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
