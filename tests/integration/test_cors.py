"""What a browser's script learns of a refusal, from the pipeline."""

import pytest
from support.catalogs import api
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, allowed, refused

from extauthz.model.errors import Reason

ORIGIN = "https://app.example.com"
PREFLIGHT = {"origin": ORIGIN, "access-control-request-method": "POST"}


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        await running.catalog(key_managers=[key_manager_of(server)], apis=[api(cors={"origins": [ORIGIN]})])
        yield running


@pytest.mark.parametrize(
    ("token", "settings", "reason"),
    [
        (None, {}, Reason.MISSING_CREDENTIALS),
        ("opaque", {}, Reason.TOKEN_INACTIVE),
        (None, {"path": "/petstore/v1/nothing"}, Reason.NO_MATCHING_RESOURCE),
        (None, {"method": "DELETE"}, Reason.METHOD_NOT_ALLOWED),
    ],
)
async def test_every_refusal_of_an_api_names_the_origin_that_the_api_names(world, token, settings, reason):
    assert refused(await world.check(token, headers={"origin": ORIGIN}, **settings), reason).allow_origin == ORIGIN
    for headers in ({}, {"origin": "https://evil.example"}, {"origin": f"{ORIGIN},{ORIGIN}"}):
        assert refused(await world.check(token, headers=headers, **settings), reason).allow_origin is None


async def test_so_does_one_for_want_of_the_issuer(world, server):
    await server.go_down()
    deny = refused(await world.check("opaque", headers={"origin": ORIGIN}), Reason.UNAVAILABLE)
    assert deny.allow_origin == ORIGIN


async def test_a_refusal_before_the_api_is_known_names_none(world):
    deny = refused(await world.check(None, "/nowhere", headers={"origin": ORIGIN}), Reason.NO_MATCHING_API)
    assert deny.allow_origin is None


async def test_an_api_without_cors_names_none(world, server):
    await world.catalog(key_managers=[key_manager_of(server)])
    deny = refused(await world.check(None, headers={"origin": ORIGIN}), Reason.MISSING_CREDENTIALS)
    assert deny.allow_origin is None


async def test_a_preflight_is_let_through_for_nobody_in_particular(world):
    decision = allowed(await world.check(None, method="OPTIONS", headers=PREFLIGHT))
    assert (decision.access, decision.backend_jwt) == (None, None)


async def test_with_a_token_a_preflight_is_a_request(world, server):
    token = server.issue_jwt(**GOOD)
    refused(await world.check(token, method="OPTIONS", headers=PREFLIGHT), Reason.METHOD_NOT_ALLOWED)


async def test_a_blocked_api_lets_no_preflight_through(world, server):
    blocked = api(cors={"origins": [ORIGIN]}, state="BLOCKED")
    await world.catalog(key_managers=[key_manager_of(server)], apis=[blocked])
    deny = refused(await world.check(None, method="OPTIONS", headers=PREFLIGHT), Reason.API_BLOCKED)
    assert deny.allow_origin == ORIGIN
