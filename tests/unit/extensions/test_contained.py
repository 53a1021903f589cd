"""Answers of extensions have the documented types, or refuse."""

from typing import Any

import pytest
from msgspec.structs import replace as changed

from extauthz.extensions import Access, Api, Application, Resource, known_caller
from extauthz.extensions.contained import ContainedAuthenticator, ContainedAuthorizer, ContainedClaimSource
from extauthz.extensions.containment import Containment
from extauthz.model.errors import Denied, Reason

CONTAINMENT = Containment("partner", seconds=60)
CALLER = known_caller(application="app")
ACCESS = Access(
    api=Api(id="petstore", name="PetStore", version="v1", context="/petstore/v1"),
    resource=Resource(template="/pets", methods=frozenset({"GET"})),
    principal=CALLER,
)
ANY: Any = None


class Answering:
    """An extension of each kind, with one answer."""

    def __init__(self, answer):
        self._answer = answer

    async def authenticate(self, request, api):
        return self._answer

    async def authorize(self, request, access):
        return self._answer

    async def claims(self, access):
        return self._answer


@pytest.mark.parametrize("answer", [None, CALLER])
async def test_an_authenticator_knows_the_caller_or_does_not(answer):
    assert await ContainedAuthenticator(Answering(answer), CONTAINMENT).authenticate(ANY, ANY) is answer


@pytest.mark.parametrize("answer", [True, False, "app", {"application": "app"}, type(CALLER)])
async def test_anything_else_from_an_authenticator_refuses(answer):
    with pytest.raises(Denied) as raised:
        await ContainedAuthenticator(Answering(answer), CONTAINMENT).authenticate(ANY, ANY)
    assert raised.value.reason is Reason.INTERNAL


async def test_an_authorizer_lets_pass_by_returning_nothing():
    await ContainedAuthorizer(Answering(None), CONTAINMENT).authorize(ANY, ACCESS)


@pytest.mark.parametrize("answer", [False, True, Denied(Reason.RESOURCE_FORBIDDEN)])
async def test_an_authorizer_that_answers_something_refuses(answer):
    with pytest.raises(Denied) as raised:
        await ContainedAuthorizer(Answering(answer), CONTAINMENT).authorize(ANY, ACCESS)
    assert raised.value.reason is Reason.INTERNAL


class Scribbling:
    """Writes into what it was given."""

    async def authorize(self, request, access):
        self._scribble(access)

    async def claims(self, access):
        self._scribble(access)
        return {}

    @staticmethod
    def _scribble(access):
        access.principal.facts.claims["groups"].append("admins")
        access.application.attributes["tier"] = "gold"


async def test_what_an_extension_writes_into_an_access_reaches_nobody_else():
    """Claims stay in a cache for the next request with the token, attributes in the catalog for everybody."""
    claims, attributes = {"groups": ["readers"]}, {"tier": "free"}
    caller = changed(CALLER, facts=changed(CALLER.facts, claims=claims))
    application = Application(id="app", name="App", attributes=attributes)
    access = changed(ACCESS, principal=caller, application=application)
    await ContainedAuthorizer(Scribbling(), CONTAINMENT).authorize(ANY, access)
    await ContainedClaimSource(Scribbling(), CONTAINMENT).claims(access)
    assert (claims, attributes) == ({"groups": ["readers"]}, {"tier": "free"})


async def test_claims_are_a_copy():
    answer = {"badge": {"colours": ["red"]}}
    claims = await ContainedClaimSource(Answering(answer), CONTAINMENT).claims(ACCESS)
    answer["badge"]["colours"].append("blue")
    assert claims == {"badge": {"colours": ["red"]}}


@pytest.mark.parametrize(
    "answer",
    [None, [("badge", 1)], {1: "badge"}, {"badge": object()}, {"badge": float("nan")}, {"badge": "\ud800"}],
)
async def test_claims_that_json_has_not_refuse(answer):
    with pytest.raises(Denied) as raised:
        await ContainedClaimSource(Answering(answer), CONTAINMENT).claims(ACCESS)
    assert raised.value.reason is Reason.INTERNAL
