"""Cache, replay memory and revocations while sentinels or a cluster replace a server."""

import asyncio
import contextlib
import secrets
from typing import Any

import pytest
from support.clock import Clock
from support.redis_servers import patient
from support.revocations import redis_channel, running_replica, until
from support.valkey_cluster import valkey_cluster
from support.valkey_sentinel import watched_valkey

from extauthz.cache.keys import CacheKeys
from extauthz.cache.redis import RedisStore
from extauthz.cache.redis_connection import RedisConnection
from extauthz.cache.replay import RedisReplay
from extauthz.cache.sealed import FactsSealer
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.revocation import Revocation, RevocationForm

pytestmark = pytest.mark.external_service

KEYS = [bytes([number]) * 32 for number in range(12)]
REVOCATIONS = b"{extauthz:revocations}:entries"
QUICK: dict[str, Any] = {"timeout_seconds": 0.5}


@pytest.fixture
async def sentinel():
    async with watched_valkey() as watched:
        yield watched.servers, watched.kill_master


@pytest.fixture
async def cluster():
    async with valkey_cluster() as formed:
        yield formed.servers, lambda: formed.kill_primary(REVOCATIONS)


@pytest.fixture(params=["sentinel", "cluster"])
def replaced(request):
    """The servers, and what kills the one that has the revocations."""
    return request.getfixturevalue(request.param)


def revoked(value):
    return Revocation(key_manager="km", form=RevocationForm.TOKEN_ID, value=value)


async def test_the_cache_misses_for_seconds_and_shares_again(replaced):
    servers, kill = replaced
    reported: list[bool] = []

    def health(*, reachable: bool) -> None:
        reported.append(reachable)

    clock = Clock()
    facts = TokenFacts(form=TokenForm.INTROSPECTED, believe_until=clock() + 3600, subject="alice")
    sealer = FactsSealer(CacheKeys([b"s" * 32]).sealing)
    options = patient(servers, **QUICK)

    async def is_shared() -> bool:
        clock.advance(1.0)
        for key in KEYS:
            await one.put(key, facts)
        return [await other.get(key) for key in KEYS] == [facts] * len(KEYS)

    async with asyncio.timeout(90), contextlib.AsyncExitStack() as stack:
        one = RedisStore(options=options, sealer=sealer, clock=clock, health=health, monotonic=clock)
        other = RedisStore(options=options, sealer=sealer, clock=clock, health=health, monotonic=clock)
        stack.push_async_callback(one.close)
        stack.push_async_callback(other.close)
        await until(is_shared)
        await kill()
        await until(is_shared)
    assert False in reported
    assert reported[-1] is True


async def test_a_proof_is_refused_while_nobody_can_tell_and_counts_once_afterwards(replaced):
    servers, kill = replaced
    clock = Clock()
    connection = RedisConnection(
        patient(servers, **QUICK),
        component="replay memory",
        health=lambda *, reachable: None,  # noqa: ARG005 - nobody listens here
        monotonic=clock,
    )
    replay = RedisReplay(connection, prefix="{extauthz:revocations}:")  # in a cluster, where the killed one was
    keys: list[bytes] = []

    async def is_counted() -> bool:
        clock.advance(1.0)
        keys.append(secrets.token_bytes(32))  # one that was not told may be stored all the same
        try:
            return await replay.is_first_use(keys[-1], 3600)
        except Unavailable:
            return False

    async with asyncio.timeout(90):
        await until(is_counted)
        await kill()
        with pytest.raises(Unavailable):
            await replay.is_first_use(secrets.token_bytes(32), 3600)
        await until(is_counted)
    assert not await replay.is_first_use(keys[-1], 3600)
    await connection.close()


async def test_revocations_are_known_throughout_and_follow_to_the_new_server(replaced):
    servers, kill = replaced
    clock = Clock()
    channel = redis_channel(servers)
    await channel.initialise()
    await channel.close()
    async with running_replica(servers, clock, **QUICK) as first, running_replica(servers, clock, **QUICK) as second:
        await first.ready()
        await second.ready()
        await _until_published(first, revoked("before"))
        await second.holds(1)
        await kill()
        await first.reports.until(known=True, following=False)
        await first.ready()
        await second.ready()
        async with asyncio.timeout(60):
            await _until_published(first, revoked("after"))
            await second.holds(2)
        async with running_replica(servers, clock) as joiner:
            await joiner.ready()
            await joiner.holds(2)


async def _until_published(replica, revocation):
    async def is_published() -> bool:
        try:
            await replica.held.revoker.revoke([revocation])
        except Unavailable:
            return False
        return True

    await until(is_published)
