"""What is told about a Check while it is decided: its stages, its calls, and whose token was refused."""

import pytest
from support.deciding import deciding, key_manager_of

from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason
from extauthz.telemetry.stage_times import StageSampling

GOOD = {"client_id": "client", "azp": "client", "scope": "read"}


@pytest.fixture
def stages():
    return []


@pytest.fixture
def called():
    return []


@pytest.fixture
async def world(server, stages, called):
    timing = StageSampling(lambda name, _: stages.append(name), one_in=1)
    calls = lambda kind, key_manager, outcome, _: called.append((kind, key_manager, outcome))  # noqa: E731 - one line
    async with deciding(server, timing=timing, calls=calls) as world:
        yield world


async def test_an_allowed_check_has_all_stages(server, world, stages):
    assert isinstance(await world.check(server.issue_jwt(**GOOD)), Allow)
    assert stages == ["match", "authenticate", "authorize", "upstream"]


async def test_a_refused_check_ends_in_the_stage_that_refuses(server, world, stages):
    for token, path in ((None, "/nowhere"), ("nonsense", "/petstore/v1/pets")):
        assert isinstance(await world.check(token, path), Deny)
    assert isinstance(await world.check(server.issue_jwt(**{**GOOD, "azp": "nobody", "client_id": "nobody"})), Deny)
    assert stages == ["match", "match", "authenticate", "match", "authenticate", "authorize"]


async def test_a_check_that_something_is_not_there_for_ends_as_well(server, world, stages):
    token = server.issue_opaque(**GOOD)
    await server.__aexit__(None, None, None)
    denied = await world.check(token)
    assert (denied.reason, denied.key_manager) == (Reason.UNAVAILABLE, "km")
    assert stages == ["match", "authenticate"]


async def test_calls_are_told_with_their_kind_and_key_manager(server, world, called):
    await world.check(server.issue_jwt(**GOOD))
    await world.check(server.issue_opaque(**GOOD))
    assert called == [("jwks", "km", "ok"), ("introspection", "km", "ok")]


async def test_a_known_token_calls_nobody(server, world, called):
    token = server.issue_jwt(**GOOD)
    for _ in range(3):
        await world.check(token)
    assert called == [("jwks", "km", "ok")]


async def test_a_call_that_cannot_be_made_is_told_as_lost(server, world, called):
    token = server.issue_jwt(**GOOD)
    await server.__aexit__(None, None, None)
    await world.check(token)
    assert set(called) == {("jwks", "km", "connection")}


async def test_metadata_and_keys_are_told_apart(server, world, called):
    await world.catalog(key_managers=[key_manager_of(server, jwt={"discovery": True})])
    await world.check(server.issue_jwt(**GOOD))
    assert [call for call in called if call[2] == "ok"] == [("discovery", "km", "ok"), ("jwks", "km", "ok")]


async def test_a_refusal_says_whose_token_it_is(server, world):
    expired = await world.check(server.issue_jwt(**GOOD, exp=1))
    inactive = await world.check(server.issue_opaque(**GOOD, active=False))
    no_scope = await world.check(server.issue_jwt(**{**GOOD, "azp": "nobody", "client_id": "nobody"}))
    assert {decision.key_manager for decision in (expired, inactive, no_scope)} == {"km"}


async def test_a_refusal_of_what_is_known_says_it_too(server, world):
    token = server.issue_opaque(**GOOD, active=False)
    assert [(await world.check(token)).key_manager for _ in range(2)] == ["km", "km"]


async def test_a_token_of_nobody_is_nobodys(server, world):
    unknown = await world.check(server.issue_jwt(**GOOD, iss="https://unknown.example.com"))
    assert (unknown.reason, unknown.key_manager) == (Reason.INVALID_TOKEN, "")
    assert (await world.check(None)).key_manager == ""
