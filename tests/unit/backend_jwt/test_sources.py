"""Claims of users and extensions: when somebody is asked, and how long the answer is used."""

import asyncio
import math
from dataclasses import replace

import jwt
import pytest
from msgspec.structs import replace as changed

from extauthz.backend_jwt.claims import BackendJwtProfile
from extauthz.backend_jwt.signer import BackendJwtSigner
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.backend_jwt.sources import ClaimSources
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.user import NO_USER, UserFacts


class Users:
    """Says of a user what a test puts in; known ones are known."""

    def __init__(self):
        self.facts = NO_USER
        self.is_known = True
        self.asked = 0

    def known(self, principal):
        return self.facts if self.is_known else None

    async def of(self, principal):
        self.asked += 1
        return self.facts


class Extension:
    """Says what a test puts in, once it is let."""

    def __init__(self, **claims):
        self.claims = claims
        self.failure = None
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, access):
        self.asked += 1
        self.was_asked.set()
        claims = self.claims | {"app": access.application.name}
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return claims


@pytest.fixture
def users():
    return Users()


@pytest.fixture
def signer_with(ec_pem, clock, users):
    def made(*extensions, cache_entries=10):
        return BackendJwtSigner(
            key=SigningKey(ec_pem, "ES256"),
            profile=BackendJwtProfile(ttl_seconds=900),
            clock=clock,
            cache_entries=cache_entries,
            sources=ClaimSources(users=users, extensions=extensions),
        )

    return made


def claims_of(assertion):
    return jwt.decode(assertion, options={"verify_signature": False})


async def test_an_assertion_is_not_used_longer_than_what_it_says_of_the_user(signer_with, users, access, clock):
    signer = signer_with()
    users.facts = UserFacts(claims={"city": "Ulm"}, use_until=clock.now + 100)
    first = await signer.assertion(access)
    users.facts = UserFacts(claims={"city": "Bonn"}, use_until=clock.now + 200)
    clock.now += 99.9
    assert signer.held(access) == first
    clock.now += 0.1
    assert signer.held(access) is None
    assert claims_of(await signer.assertion(access))["city"] == "Bonn"


async def test_a_known_user_is_not_asked_about_for_another_api(signer_with, users, access):
    signer = signer_with()
    users.facts = UserFacts(claims={"city": "Ulm"}, use_until=math.inf)
    elsewhere = changed(access, api=replace(access.api, id="orders"))

    assert [claims_of(await signer.assertion(one))["city"] for one in (access, elsewhere)] == ["Ulm", "Ulm"]
    assert users.asked == 0
    users.is_known = False
    await signer.assertion(changed(access, api=replace(access.api, id="third")))
    assert users.asked == 1


async def test_extensions_are_asked_for_a_new_assertion_only(signer_with, access, clock):
    extension = Extension(level=1)
    signer = signer_with(extension)
    first = await signer.assertion(access)
    extension.claims["level"] = 2

    assert await signer.assertion(access) == first
    assert extension.asked == 1
    clock.now += 900
    assert [claims_of(one)["level"] for one in (first, await signer.assertion(access))] == [1, 2]


async def says_where(access):
    await asyncio.sleep(0)  # others may ask meanwhile
    return {"where": f"{access.api.id} {access.resource.template}"}


@pytest.mark.parametrize("together", [False, True])
async def test_what_an_extension_says_of_one_resource_or_api_is_not_told_of_another(signer_with, access, together):
    elsewhere = [
        access,
        changed(access, resource=replace(access.resource, template="/elsewhere")),
        changed(access, api=replace(access.api, id="elsewhere")),
    ]
    signer = signer_with(says_where)
    asked = [signer.assertion(one) for one in elsewhere]
    made = await asyncio.gather(*asked) if together else [await one for one in asked]

    expected = [f"{one.api.id} {one.resource.template}" for one in elsewhere]
    assert [claims_of(one)["where"] for one in made] == expected
    assert [signer.held(one) for one in elsewhere] == made


async def test_without_extensions_all_resources_of_an_api_share_an_assertion(signer_with, access):
    signer = signer_with()
    elsewhere = changed(access, resource=replace(access.resource, template="/elsewhere"))
    assert await signer.assertion(access) == signer.held(elsewhere)


async def test_the_later_extension_is_right(signer_with, access):
    claims = claims_of(await signer_with(Extension(a=1, b=1), Extension(b=2)).assertion(access))
    assert (claims["a"], claims["b"]) == (1, 2)


async def test_requests_that_come_together_ask_once_and_get_one_assertion(signer_with, access):
    extension = Extension()
    extension.may_answer.clear()
    signer = signer_with(extension)
    waiting = [asyncio.create_task(signer.assertion(access)) for _ in range(5)]
    await extension.was_asked.wait()
    extension.may_answer.set()

    assert len(set(await asyncio.gather(*waiting))) == 1
    assert extension.asked == 1


async def test_an_answer_about_what_was_changed_meanwhile_is_not_used(signer_with, access):
    """The question under way was about the application as it was."""
    extension = Extension()
    extension.may_answer.clear()
    signer = signer_with(extension)
    renamed = changed(access, application=replace(access.application, name="Shop 2"))
    waiting = [asyncio.create_task(signer.assertion(one)) for one in (access, renamed)]
    await extension.was_asked.wait()
    extension.may_answer.set()

    assert [claims_of(one)["app"] for one in await asyncio.gather(*waiting)] == ["Shop", "Shop 2"]
    assert claims_of(await signer.assertion(renamed))["app"] == "Shop 2"


@pytest.mark.parametrize(
    "failure", [Denied(Reason.INTERNAL, "failed"), Unavailable("directory", "no answer"), LookupError("bug")]
)
async def test_a_source_that_fails_refuses_every_time_and_is_not_remembered(signer_with, access, failure):
    extension = Extension()
    signer = signer_with(extension)
    extension.failure = failure
    for _ in range(2):
        with pytest.raises(type(failure)):
            await signer.assertion(access)
    extension.failure = None

    assert claims_of(await signer.assertion(access))["app"] == "Shop"
    assert extension.asked == 3


async def test_a_request_that_leaves_does_not_take_the_others_along(signer_with, access):
    extension = Extension()
    extension.may_answer.clear()
    signer = signer_with(extension)
    leaving, staying = (asyncio.create_task(signer.assertion(access)) for _ in range(2))
    await extension.was_asked.wait()
    leaving.cancel()
    extension.may_answer.set()

    assert claims_of(await staying)["app"] == "Shop"


async def test_claims_of_an_extension_that_are_not_json_refuse(signer_with, access):
    with pytest.raises(Denied):
        await signer_with(Extension(odd=object())).assertion(access)


async def test_a_signer_that_is_closed_waits_for_nobody(signer_with, access):
    extension = Extension()
    extension.may_answer.clear()
    signer = signer_with(extension)
    waiting = asyncio.create_task(signer.assertion(access))
    await extension.was_asked.wait()
    await signer.close()

    with pytest.raises(Unavailable):
        await waiting
