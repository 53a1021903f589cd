"""The figures of the token caches: how often anybody is asked, and what is never believed."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis
from support.authorization_server import Misbehaviour
from support.check_client import OVERWRITES, check_request, connected, denied, headers_of
from support.check_client import allowed as granted
from support.deciding import CACHE_SECRET, deciding, key_manager_of
from support.decisions import GOOD, allowed, refused
from support.redis_servers import patient
from support.service import running_service

from extauthz.cache.keys import CacheKeys
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.model.check import Deny
from extauthz.model.errors import Reason
from extauthz.oauth2.jwks import RefreshTimes
from extauthz.revocation.revocation import Revocation, RevocationForm

STALE_SECONDS = 600


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        yield running


@pytest.fixture
async def replica(server, valkey):
    """Starts replicas of their own memory that share one Valkey; their clocks are moved apart."""
    async with AsyncExitStack() as stack:

        async def start(ahead=0.0):
            clock = _Late()
            store = RedisStore(
                options=patient(valkey.url),
                sealer=FactsSealer(CacheKeys([CACHE_SECRET]).sealing),
                clock=clock,
                health=lambda *, reachable: None,  # noqa: ARG005 - nobody listens here
                claim_seconds=60.0,
            )
            world = await stack.enter_async_context(deciding(server, store=store))
            clock.of = world.clock
            world.clock.advance(ahead)
            return world

        yield start


class _Late:
    """The clock of a replica that does not exist yet."""

    def __init__(self) -> None:
        self.of: Any = None

    def __call__(self) -> float:
        return float(self.of())


@pytest.mark.external_service
async def test_a_thousand_checks_of_a_new_token_over_three_replicas_are_one_question(server, replica):
    replicas = [await replica() for _ in range(3)]
    token = server.issue_opaque(**GOOD)
    for decision in await asyncio.gather(*(replicas[n % 3].check(token) for n in range(1000))):
        allowed(decision)
    assert server.introspection.calls == 1


async def test_a_thousand_random_kids_cost_one_fetch_a_cooldown_while_good_tokens_pass(server, world):
    """The first fetch is for a good token; in each cooldown that follows, one more may be for unknown keys."""
    good = server.issue_jwt(**GOOD)
    allowed(await world.check(good))
    assert server.jwks.calls == 1
    for cooldowns in (1, 2):
        world.clock.advance(RefreshTimes().cooldown_seconds + 1)
        for _ in range(10):
            random = [world.check(server.issue_jwt(**GOOD, kid=uuid.uuid4().hex)) for _ in range(100)]
            *decisions, passed, new = await asyncio.gather(
                *random, world.check(good), world.check(server.issue_jwt(**GOOD))
            )
            for decision in decisions:
                refused(decision, Reason.INVALID_TOKEN)
            allowed(passed)
            allowed(new)
        assert server.jwks.calls == 1 + cooldowns


async def test_a_known_jwt_costs_no_signature_and_no_call(server, world):
    """The very same facts come back: had the token been read again, they would be another object."""
    token = server.issue_jwt(**GOOD)
    allowed(await world.check(token))
    access = [(await world.check(token)).access for _ in range(2)]
    assert server.jwks.calls == 1
    assert access[0].principal.facts is access[1].principal.facts


async def test_a_known_opaque_token_costs_no_call(server, world):
    token = server.issue_opaque(**GOOD)
    for _ in range(20):
        allowed(await world.check(token))
    assert server.introspection.calls == 1


@pytest.mark.parametrize("form", ["jwt", "opaque"])
async def test_a_known_token_is_believed_to_its_last_moment_with_skew_and_no_longer(server, world, form):
    await world.catalog(key_managers=[key_manager_of(server, clock_skew_seconds=20)])
    issue = server.issue_jwt if form == "jwt" else server.issue_opaque
    token = issue(**GOOD, exp=int(world.clock()) + 60)
    allowed(await world.check(token))
    world.clock.advance(75)
    allowed(await world.check(token))
    world.clock.advance(6)
    for _ in range(2):
        decision = await world.check(token)
        assert isinstance(decision, Deny)
        # The issuer, asked again, does not know the token any more; a JWT tells its end itself.
        assert decision.reason in {Reason.TOKEN_EXPIRED, Reason.TOKEN_INACTIVE}


@pytest.mark.external_service
async def test_an_old_entry_put_back_into_redis_is_not_believed(server, replica, valkey):
    token = server.issue_opaque(**GOOD)
    first = await replica()
    await first.catalog(key_managers=[stale(server)])
    allowed(await first.check(token))
    async with Redis.from_url(valkey.url) as redis:
        found = {name: await redis.get(name) async for name in redis.scan_iter(match="*facts*")}
        kept = {name: sealed for name, sealed in found.items() if sealed is not None}
        assert kept
        server.revoke(token)
        await redis.mset(kept)
        second = await replica(ahead=301)
        await second.catalog(key_managers=[stale(server)])
        refused(await second.check(token), Reason.TOKEN_INACTIVE)
        await redis.mset(kept)
        third = await replica(ahead=301)
        await third.catalog(key_managers=[stale(server)])
        await server.go_down()
        refused(await third.check(token), Reason.UNAVAILABLE)


@pytest.mark.external_service
@pytest.mark.parametrize(
    "change", [{"clock_skew_seconds": 5}, {"scopes_claim": "scope"}, {"claim_mapping": {"a": "b"}}], ids=str
)
async def test_a_change_of_validation_makes_what_is_in_redis_unreachable(server, replica, change):
    token = server.issue_opaque(**GOOD)
    first, second = await replica(), await replica()
    allowed(await first.check(token))
    await second.catalog(key_managers=[key_manager_of(server)])
    allowed(await second.check(token))
    assert server.introspection.calls == 1
    await second.catalog(key_managers=[key_manager_of(server, **change)])
    allowed(await second.check(token))
    assert server.introspection.calls == 2


# Switched off


def bearer(token):
    return check_request(headers={"authorization": f"Bearer {token}"})


@OVERWRITES
@pytest.mark.external_service
@pytest.mark.parametrize(("enabled", "calls", "assertions"), [(True, 2, 1), (False, 6, 3)])
async def test_each_cache_has_a_switch(tmp_path, server, enabled, calls, assertions):
    switches = {name: {"enabled": enabled} for name in ("introspection", "negative", "backend_jwt")}
    good = server.issue_opaque(**GOOD)
    settings = {"cache": switches}
    async with running_service(tmp_path, server, settings=settings) as service, connected(service.port) as stub:
        given = {headers_of(granted(await stub.check(bearer(good))))["x-jwt-assertion"] for _ in range(3)}
        for _ in range(3):
            denied(await stub.check(bearer("nobodys")))
    assert server.introspection.calls == calls
    assert len(given) == assertions


# Stale, while the endpoint does not answer


def stale(server, seconds=STALE_SECONDS, **settings):
    basic = {"basic": {"username": server.client_id, "password": "gateway"}}
    introspection = {
        "endpoint": server.introspection_endpoint, "authentication": basic, "stale_if_error_seconds": seconds,
    }  # fmt: skip
    return key_manager_of(server, introspection=introspection, **settings)


@pytest.fixture
async def tolerant(server, world):
    await world.catalog(key_managers=[stale(server)])
    return world


async def test_without_the_setting_a_fact_ends_with_its_time(server, world):
    token = server.issue_opaque(**GOOD)
    allowed(await world.check(token))
    await server.go_down()
    world.clock.advance(301)
    refused(await world.check(token), Reason.UNAVAILABLE)


@pytest.mark.parametrize("how", [Misbehaviour.STATUS_500, Misbehaviour.DISCONNECT, Misbehaviour.HTML])
async def test_a_fact_is_believed_longer_while_the_endpoint_does_not_answer(server, tolerant, how):
    token = server.issue_opaque(**GOOD)
    allowed(await tolerant.check(token))
    server.introspection.misbehave(how)
    for _ in range(2):
        tolerant.clock.advance(301)
        allowed(await tolerant.check(token))
    tolerant.clock.advance(300)
    refused(await tolerant.check(token), Reason.UNAVAILABLE)


async def test_the_endpoint_is_asked_first_and_believed_as_soon_as_it_answers(server, tolerant):
    token = server.issue_opaque(**GOOD)
    allowed(await tolerant.check(token))
    server.introspection.misbehave(Misbehaviour.STATUS_500)
    tolerant.clock.advance(301)
    allowed(await tolerant.check(token))
    await server.introspection.behave()
    server.revoke(token)
    refused(await tolerant.check(token), Reason.TOKEN_INACTIVE)


async def test_what_the_issuer_called_inactive_does_not_come_back(server, tolerant):
    token = server.issue_opaque(**GOOD)
    allowed(await tolerant.check(token))
    server.revoke(token)
    tolerant.clock.advance(301)
    refused(await tolerant.check(token), Reason.TOKEN_INACTIVE)
    await server.go_down()
    tolerant.clock.advance(31)
    refused(await tolerant.check(token), Reason.UNAVAILABLE)


@pytest.mark.external_service
async def test_what_the_issuer_called_inactive_to_another_replica_does_not_come_back(server, replica):
    holder, told = await replica(), await replica()
    for each in (holder, told):
        await each.catalog(key_managers=[stale(server)])
    token = server.issue_opaque(**GOOD)
    allowed(await holder.check(token))
    server.revoke(token)
    holder.clock.advance(301)
    told.clock.advance(301)
    refused(await told.check(token), Reason.TOKEN_INACTIVE)
    await server.go_down()
    for each in (holder, told):
        each.clock.advance(31)
        refused(await each.check(token), Reason.UNAVAILABLE)


async def test_a_stale_fact_ends_with_its_token(server, tolerant):
    await tolerant.catalog(key_managers=[stale(server, clock_skew_seconds=10)])
    token = server.issue_opaque(**GOOD, exp=int(tolerant.clock()) + 400)
    allowed(await tolerant.check(token))
    await server.go_down()
    tolerant.clock.advance(405)
    allowed(await tolerant.check(token))
    tolerant.clock.advance(6)
    refused(await tolerant.check(token), Reason.TOKEN_EXPIRED)


async def test_a_stale_fact_does_not_outlive_a_revocation(server, tolerant):
    token = server.issue_opaque(**GOOD, jti="the-token")
    allowed(await tolerant.check(token))
    await server.go_down()
    tolerant.clock.advance(301)
    allowed(await tolerant.check(token))
    revoked = Revocation(key_manager="km", form=RevocationForm.TOKEN_ID, value="the-token")
    await tolerant.revocations.revoker.revoke([revoked])
    refused(await tolerant.check(token), Reason.TOKEN_INACTIVE)


async def test_a_token_that_was_never_known_is_not_stale_but_unknown(server, tolerant):
    await server.go_down()
    refused(await tolerant.check(server.issue_opaque(**GOOD)), Reason.UNAVAILABLE)
