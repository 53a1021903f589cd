"""Stand-ins for the pipeline, and the values that it decides on."""

import asyncio
from typing import Any

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.application import Application, KeyType
from extauthz.model.check import Access, Allow, Decision, Principal, RequestContext
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts, TokenForm


class Answers:
    """Decides the same each time, and keeps what it was asked."""

    def __init__(self, decision: Any) -> None:
        self._decision = decision
        self.requests: list[RequestContext] = []

    async def decide(self, request: RequestContext) -> Decision:
        self.requests.append(request)
        decision: Decision = self._decision
        return decision


class Raises:
    """Raises the same each time."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def decide(self, request: RequestContext) -> Decision:
        raise self._error


class Held:
    """Decides once it is let go; tells that it was reached, and whether it was cancelled."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def decide(self, request: RequestContext) -> Decision:
        self.reached.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self._decision


class IgnoresCancellation:
    """Lets the request through after it was told to stop."""

    async def decide(self, request: RequestContext) -> Decision:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return open_allow()
        raise AssertionError


def match(*, forward_authorization: bool = False) -> ResourceMatch:
    """An API with one resource."""
    resource = Resource(template="/pets/{petId}", methods=frozenset({"GET"}))
    api = Api(
        id="petstore-v1",
        organization="acme",
        name="Petstore",
        version="1.0.0",
        context="/petstore/v1",
        resources=(resource,),
        forward_authorization=forward_authorization,
    )
    return ResourceMatch(api=api, resource=resource)


def open_allow(*, forward_authorization: bool = False) -> Allow:
    """An open resource: no one is known."""
    return Allow(match=match(forward_authorization=forward_authorization))


def allow(*, backend_jwt: str | None = "aaa.bbb.ccc", forward_authorization: bool = False) -> Allow:
    """A caller who is known, with an application that has subscribed."""
    matched = match(forward_authorization=forward_authorization)
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, subject="alice", client_id="client-1")
    access = Access(
        api=matched.api,
        resource=matched.resource,
        principal=Principal(
            key_manager=KeyManager(id="okta", issuer="https://okta.example.com"), facts=facts, token_key=b"k"
        ),
        application=Application(id="app-1", name="Shop"),
        key_type=KeyType.SANDBOX,
        subscription=Subscription(id="sub-1", application="app-1", api="petstore-v1", policy="Gold"),
    )
    return Allow(match=matched, access=access, backend_jwt=backend_jwt)
