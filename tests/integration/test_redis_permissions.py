"""The permissions that the documentation lists are enough, and each of them is needed."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from support.clock import Clock
from support.redis_servers import patient
from support.revocations import redis_channel, running_replica
from support.valkey import ValkeyServer
from support.valkey_cluster import valkey_cluster
from support.valkey_sentinel import watched_valkey

from extauthz.cache.cache import ClaimOutcome
from extauthz.cache.keys import CacheKeys
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.revocation import Entry, Revocation, RevocationForm

pytestmark = pytest.mark.external_service

PAGE = (Path(__file__).parents[2] / "docs/redis.md").read_text(encoding="utf-8")
USER: dict[str, Any] = {"username": "extauthz", "password": "pw"}


def documented(who):
    """The permissions in the row of `who`; alternatives are all granted."""
    (row,) = re.findall(rf"^\| {re.escape(who)} \|(.*)\|$", PAGE, re.MULTILINE)
    quoted = " ".join(re.findall(r"`([^`]*)`", row)).replace("\\|", "|").split()
    return [word for word in quoted if word[0] in "~+" and not word.startswith("+sentinel")]


def user(*rows):
    return ["ACL", "SETUSER", "extauthz", "reset", "on", ">pw", *(word for row in rows for word in documented(row))]


async def use_the_cache(servers):
    clock, health = Clock(), []

    def report(*, reachable: bool) -> None:
        health.append(reachable)

    sealer = FactsSealer(CacheKeys([b"s" * 32]).sealing)
    store = RedisStore(options=patient(servers, **USER), sealer=sealer, clock=clock, health=report)
    facts = TokenFacts(form=TokenForm.INTROSPECTED, believe_until=clock() + 60, subject="alice")
    for number in range(6):
        key = bytes([number]) * 32
        claim = await store.claim(key)
        await store.put(key, facts)
        assert await store.get(key) == facts
        await store.forget(key)
        await store.release(key, claim)
        assert await store.get(key) is None
        assert (await store.claim(key)).outcome is ClaimOutcome.WON
    await store.close()
    assert health == [True]


async def use_the_revocations(servers):
    channel = redis_channel(servers, **USER)
    try:
        await channel.initialise()
        assert await channel.eviction_policy() == "noeviction"
    finally:
        await channel.close()
    clock = Clock()
    async with running_replica(servers, clock, **USER) as first, running_replica(servers, clock, **USER) as second:
        await first.ready()
        await second.ready()
        what = Revocation(key_manager="km", form=RevocationForm.TOKEN_ID, value="id")
        await first.held.revoker.revoke([what])
        await second.holds(1)


@pytest.mark.parametrize(
    ("row", "use"), [("`cache.redis`", use_the_cache), ("`revocation.redis`", use_the_revocations)]
)
async def test_the_documented_permissions_are_enough_everywhere(row, use):
    async with ValkeyServer() as valkey, Redis.from_url(valkey.url) as operator:
        await operator.execute_command(*user(row))
        await use(valkey.url)
        await operator.execute_command(*user(row, "a database in the `url`"))
        await use(valkey.url.removesuffix("/0") + "/1")
    async with watched_valkey() as watched:
        await watched.everywhere(*user(row, "behind sentinels"))
        await use(watched.servers)
    async with valkey_cluster() as cluster:
        await cluster.everywhere(*user(row, "a cluster"))
        await use(cluster.servers)


@pytest.mark.parametrize("missing", documented("`revocation.redis`"))
async def test_each_documented_permission_for_revocations_is_needed(missing):
    async with ValkeyServer() as valkey, Redis.from_url(valkey.url) as operator:
        await operator.execute_command(*(word for word in user("`revocation.redis`") if word != missing))
        if missing in {"+config|get", "+info"}:  # one of the two is enough
            await use_the_revocations(valkey.url)
            return
        channel = redis_channel(valkey.url, **USER)
        with pytest.raises(Unavailable, match="redis refuses"):
            await _every_command(channel)
        await channel.close()


async def _every_command(channel):
    await channel.initialise()
    position = await channel.position()
    await channel.publish([Entry(name=b"n" * 32, issued_until=None, keep_until=9e9)])
    async for _ in channel.pages():
        pass
    await channel.news(position, 0.01)
