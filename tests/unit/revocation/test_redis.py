"""Replicas and a real server that loses, hides, forges, forgets and vanishes."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from support.revocations import REVOCATION_SECRET, HeldRevocations, redis_channel, until
from support.valkey import ValkeyServer

from extauthz.model.errors import Unavailable
from extauthz.redis_client.eviction import evicts
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.revocation import Entry, Revocation, RevocationForm

pytestmark = pytest.mark.external_service

ENTRIES, NEWS, COUNT = (f"{{extauthz:revocations}}:{part}" for part in ("entries", "news", "count"))
CLIENT = Revocation(key_manager="km", form=RevocationForm.CLIENT, value="client", issued_until=5000.0)


def token(value, **times):
    return Revocation(key_manager="km", form=RevocationForm.TOKEN_ID, value=value, **times)


def names(replica):
    return {entry.name for entry in replica.held.revoked.entries()}


async def test_news_reach_every_replica(initialised, replica):
    replicas = [await replica() for _ in range(3)]
    for each in replicas:
        await each.ready()
    await replicas[0].held.revoker.revoke([CLIENT])
    for each in replicas:
        await each.holds(1)
    assert names(replicas[0]) == names(replicas[1]) == names(replicas[2])


async def test_news_are_not_waited_for_at_intervals(initialised, clock, stranger):
    """The server wakes the reader: it was told to wait for an hour."""
    channel, other = redis_channel(initialised.url), redis_channel(initialised.url)
    try:
        position = await channel.position()
        waiting = asyncio.create_task(channel.news(position, 3600))

        async def somebody_waits():
            return (await stranger.info("clients"))["blocked_clients"] == 1

        await until(somebody_waits)
        held = HeldRevocations.over(other, clock)
        await held.revoker.revoke([CLIENT])
        (item,) = await waiting
        assert (item.position.number, item.entry) == (1, held.revoked.entries()[0])
    finally:
        await channel.close()
        await other.close()


async def test_who_joins_later_knows_the_past_before_it_is_ready(initialised, replica):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([token(f"t{number}") for number in range(2500)])
    joiner = await replica()
    await joiner.ready()
    assert len(joiner.held.revoked) == 2500
    assert joiner.reports.told[0][0] is True


async def test_without_an_epoch_nobody_is_ready_until_an_operator_says_that_it_is_new(valkey, replica):
    joiner = await replica()
    await joiner.reports.until(known=False, following=False, detail="extauthz revoke --initialize")
    with pytest.raises(Unavailable, match="never initialised"):
        await joiner.held.revoker.revoke([CLIENT])
    channel = redis_channel(valkey.url)
    assert await channel.initialise()
    assert not await channel.initialise()
    await channel.close()
    await joiner.ready()
    assert len(joiner.held.revoked) == 1


async def test_a_flushed_server_is_filled_again_before_anybody_can_join(initialised, replica, stranger):
    first, second = await replica(), await replica()
    await first.ready()
    await second.ready()
    await first.held.revoker.revoke([CLIENT, token("a")])
    await second.holds(2)
    await stranger.flushall()
    joiner = await replica()
    await joiner.ready()
    assert names(joiner) == names(first)


async def test_what_is_revoked_while_a_flush_is_unnoticed_is_told_to_fail_and_not_lost(initialised, replica, stranger):
    first = await replica()
    await first.ready()
    await stranger.flushall()
    with pytest.raises(Unavailable):
        await first.held.revoker.revoke([CLIENT])
    joiner = await replica()
    await joiner.ready()
    assert len(joiner.held.revoked) == 1


@pytest.mark.parametrize("how", ["restarted", "hung"])
async def test_an_outage_changes_nothing_that_is_known_and_is_made_up_for(initialised, replica, how):
    first = await replica(timeout_seconds=0.3)
    await first.ready()
    await first.held.revoker.revoke([CLIENT])
    await (initialised.stop() if how == "restarted" else asyncio.to_thread(initialised.pause))
    await first.reports.until(following=False)
    assert first.reports.told[-1][0] is True
    assert len(first.held.revoked) == 1
    with pytest.raises(Unavailable):
        await first.held.revoker.revoke([token("during the outage")])
    await (initialised.start() if how == "restarted" else asyncio.to_thread(initialised.resume))
    await first.ready()
    joiner = await replica()
    await joiner.ready()
    await joiner.holds(2)


async def test_whoever_misses_news_that_were_trimmed_loads_everything_again(initialised, replica, stranger):
    """An entry is stored and its news trimmed in one step, so no reader can see it."""
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([CLIENT])
    keys = RevocationKeys([REVOCATION_SECRET])
    hidden = keys.prove(Entry(name=b"h" * 32, issued_until=None, keep_until=9e9))
    async with stranger.pipeline(transaction=True) as step:
        step.zadd(ENTRIES, {hidden: 9e9})
        step.incr(COUNT)
        step.xtrim(NEWS, maxlen=0, approximate=False)
        await step.execute()
    await first.holds(2)


async def test_a_gap_in_the_numbers_is_noticed_with_the_next_news(initialised, replica, stranger):
    first, second = await replica(), await replica()
    await first.ready()
    await second.ready()
    keys = RevocationKeys([REVOCATION_SECRET])
    await stranger.zadd(ENTRIES, {keys.prove(Entry(name=b"h" * 32, issued_until=None, keep_until=9e9)): 9e9})
    await stranger.incr(COUNT)
    await first.held.revoker.revoke([CLIENT])
    await first.holds(2)
    await second.holds(2)


async def test_entries_that_a_stranger_wrote_revoke_nothing(initialised, replica, stranger):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([CLIENT])
    (entry,) = first.held.revoked.entries()
    forged = RevocationKeys([b"x" * 32]).prove(replace(entry, issued_until=9e9))
    await stranger.xadd(NEWS, {"number": 2, "epoch": "", "entry": forged})
    await stranger.xadd(NEWS, {"what": "ever"})
    await first.held.revoker.revoke([token("a")])
    await first.holds(2)
    assert first.held.revoked.current().get(entry.name) == entry


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 20, "-1", "+1", "1_0", "\u0663", ""])
async def test_news_whose_number_is_none_are_a_gap(initialised, replica, stranger, number):
    first = await replica()
    await first.ready()
    keys = RevocationKeys([REVOCATION_SECRET])
    hidden = keys.prove(Entry(name=b"h" * 32, issued_until=None, keep_until=9e9))
    await stranger.zadd(ENTRIES, {hidden: 9e9})
    await stranger.xadd(NEWS, {"number": number, "epoch": "", "entry": b"forged"})
    await first.holds(1)
    await first.held.revoker.revoke([CLIENT])
    await first.holds(2)
    assert not any("cannot be followed" in detail for _, _, detail in first.reports.told)


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 20, "-1", "\u0663", ""])
async def test_a_count_that_is_none_is_an_outage_and_not_the_end(initialised, replica, stranger, number):
    first = await replica()
    await first.ready()
    await stranger.set(COUNT, number)
    await first.reports.until(known=True, following=False, detail="redis gave an odd answer")
    await stranger.set(COUNT, "0")
    await first.ready()


async def test_an_older_entry_that_is_put_back_weakens_nothing(initialised, replica, stranger):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([CLIENT])
    older = (await stranger.xrange(NEWS))[0][1]
    await first.held.revoker.revoke([replace(CLIENT, issued_until=6000.0)])
    await stranger.xadd(NEWS, older)
    await first.held.revoker.revoke([token("a")])
    await first.holds(2)
    (name,) = first.held.keys.names(("default", "km"), CLIENT.form, "client")
    assert first.held.revoked.current()[name].issued_until == 6000.0


async def test_whoever_has_another_secret_is_not_ready_and_says_why(initialised, replica):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([CLIENT])
    other = await replica(keys=RevocationKeys([b"another secret of 32 bytes or more"]))
    await other.reports.until(known=False, detail="1 entries in redis were not made with any of revocation.secret")
    rotated = await replica(keys=RevocationKeys([b"another secret of 32 bytes or more", REVOCATION_SECRET]))
    await rotated.ready()
    assert names(rotated) == names(first)


async def test_unproven_news_are_told_by_who_is_ready(initialised, replica, stranger):
    first = await replica()
    await first.ready()
    await stranger.zadd(ENTRIES, {b"forged": 9e9})
    await first.reports.until(known=True, following=True)
    await stranger.incr(COUNT)
    await first.reports.until(known=True, following=False, detail="not made with any of revocation.secret")


async def test_entries_leave_replicas_and_server_at_their_end(initialised, replica, stranger, clock):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([token("a", expires_at=clock() + 10), token("b")])
    await first.holds(2)
    clock.advance(10 + 300)
    assert len(first.held.revoked.entries()) == 1
    clock.advance(-20_000)
    await first.held.revoker.revoke([token("long over by the server's clock", expires_at=clock() + 10)])
    assert await stranger.zcard(ENTRIES) == 3  # with the epoch
    assert await stranger.zcount(ENTRIES, "-inf", clock()) == 0


async def test_what_is_over_already_is_not_published(initialised, replica, stranger, clock):
    first = await replica()
    await first.ready()
    await first.held.revoker.revoke([token("a", expires_at=clock() - 400)])
    assert await stranger.zcard(ENTRIES) == 1  # the epoch
    assert not await stranger.exists(NEWS)


async def test_the_news_are_kept_in_bounds(initialised, replica, stranger):
    first = await replica(kept_news=10)
    await first.ready()
    await first.held.revoker.revoke([token(str(number)) for number in range(1000)])
    assert await stranger.xlen(NEWS) < 500
    assert await stranger.zcard(ENTRIES) == 1001


async def test_nothing_is_in_the_clear_in_redis(initialised, replica, stranger, clock):
    first = await replica()
    await first.ready()
    values = {
        RevocationForm.TOKEN: "opaque-4711",
        RevocationForm.TOKEN_ID: "jti-4712",
        RevocationForm.CLIENT: "client-4713",
        RevocationForm.SUBJECT: "alice-4714",
    }
    for form, value in values.items():
        until = clock() if form.indirect else None
        what = Revocation(organization="org-4715", key_manager="km-4716", form=form, value=value, issued_until=until)
        await first.held.revoker.revoke([what])
    everything = b""
    async for key in stranger.scan_iter():
        everything += key + await stranger.dump(key)
        if key.decode() == ENTRIES:
            everything += b"".join(await stranger.zrange(key, 0, -1))
        elif key.decode() == NEWS:
            everything += repr(await stranger.xrange(key)).encode()
    assert len(everything) > 500
    for value in [*values.values(), "org-4715", "km-4716"]:
        assert value.encode() not in everything


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "allkeys-lfu", "volatile-ttl"])
@pytest.mark.parametrize("hidden", [(), ("--rename-command", "CONFIG", "")], ids=["CONFIG", "INFO"])
async def test_the_eviction_policy_is_read_where_it_can_be(policy, hidden):
    async with ValkeyServer("--maxmemory-policy", policy, *hidden) as server:
        channel = redis_channel(server.url)
        assert await channel.eviction_policy() == policy
        assert evicts(policy) is policy.startswith("allkeys")
        await channel.close()


async def test_a_policy_that_may_not_be_read_is_not_known(valkey, stranger):
    await stranger.acl_setuser(
        "narrow", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-config", "-info"]
    )
    channel = redis_channel(valkey.url, username="narrow", password="pw")
    assert await channel.eviction_policy() is None
    assert not evicts(None)
    await channel.close()


async def test_who_meets_an_evicting_server_after_its_start_is_not_ready(initialised, replica, stranger):
    await stranger.config_set("maxmemory-policy", "allkeys-lru")
    joiner = await replica()
    await joiner.reports.until(known=False, detail="maxmemory-policy is allkeys-lru")
    await stranger.config_set("maxmemory-policy", "noeviction")
    await joiner.ready()


async def test_a_full_server_is_told_to_whoever_revokes(initialised, replica, stranger):
    first = await replica()
    await first.ready()
    await stranger.config_set("maxmemory", "1")
    with pytest.raises(Unavailable, match="refuses EVAL"):
        await first.held.revoker.revoke([CLIENT])


async def test_a_wrong_password_is_an_outage(valkey):
    async with Redis.from_url(valkey.url) as client:
        await client.config_set("requirepass", "right")
    channel = redis_channel(valkey.url, password="wrong")
    with pytest.raises(Unavailable):
        await channel.position()
    await channel.close()


@pytest.mark.parametrize("key", [ENTRIES, NEWS, COUNT])
async def test_a_key_of_another_kind_is_an_outage(initialised, stranger, key):
    await stranger.delete(key)
    await stranger.sadd(key, "member")
    channel = redis_channel(initialised.url)
    with pytest.raises(Unavailable):
        await channel.position()
    await channel.close()
