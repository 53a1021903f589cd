"""What is special to each memory of used proofs; what they share is in the contract."""

import contextlib

import pytest
from redis.asyncio import Redis
from support.redis_servers import patient

from extauthz.cache.redis_connection import RedisConnection
from extauthz.cache.replay import MemoryReplay, RedisReplay
from extauthz.model.errors import Unavailable

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32
NAME = f"extauthz:proof:{KEY.hex()}"


async def test_a_key_in_process_counts_to_the_end_of_its_time(clock):
    replay = MemoryReplay(entries=10, clock=clock)
    await replay.is_first_use(KEY, 60)
    clock.now += 60
    assert not await replay.is_first_use(KEY, 60)
    clock.now += 0.001
    assert await replay.is_first_use(KEY, 60)


async def test_a_full_memory_refuses_rather_than_forgets(clock):
    replay = MemoryReplay(entries=2, clock=clock)
    assert await replay.is_first_use(KEY, 60)
    assert await replay.is_first_use(OTHER, 60)
    with pytest.raises(Unavailable):
        await replay.is_first_use(THIRD, 60)
    assert not await replay.is_first_use(KEY, 60)


async def test_a_full_memory_has_room_again_when_its_oldest_key_ends(clock):
    replay = MemoryReplay(entries=2, clock=clock)
    await replay.is_first_use(KEY, 60)
    clock.now += 30
    await replay.is_first_use(OTHER, 60)
    clock.now += 31
    assert await replay.is_first_use(THIRD, 60)
    assert not await replay.is_first_use(OTHER, 60)


def test_a_memory_without_room_is_none(clock):
    with pytest.raises(ValueError, match="room"):
        MemoryReplay(entries=0, clock=clock)


@pytest.fixture
def reported():
    return []


@pytest.fixture
async def replica_of(valkey, clock, reported):
    async with contextlib.AsyncExitStack() as stack:

        def make(timeout_seconds=20.0):
            def health(*, reachable: bool) -> None:
                reported.append(reachable)

            options = patient(valkey.url, timeout_seconds=timeout_seconds)
            connection = RedisConnection(options, component="replay memory", health=health, monotonic=clock)
            stack.push_async_callback(connection.close)
            return RedisReplay(connection, prefix=options.prefix)

        yield make


@pytest.mark.external_service
async def test_what_one_replica_has_seen_all_have(replica_of):
    assert await replica_of().is_first_use(KEY, 60)
    assert not await replica_of().is_first_use(KEY, 60)


@pytest.mark.external_service
async def test_redis_remembers_for_the_time_that_it_is_told(replica_of, valkey):
    await replica_of().is_first_use(KEY, 60.0004)
    async with Redis.from_url(valkey.url) as client:
        assert 50_000 < await client.pttl(NAME) <= 60_001


@pytest.mark.external_service
async def test_a_later_question_does_not_make_the_time_longer(replica_of, valkey):
    await replica_of().is_first_use(KEY, 60)
    await replica_of().is_first_use(KEY, 600)
    async with Redis.from_url(valkey.url) as client:
        assert await client.pttl(NAME) <= 60_000


@pytest.mark.external_service
async def test_without_redis_nobody_can_say(replica_of, valkey, clock, reported):
    replica = replica_of()
    assert await replica.is_first_use(KEY, 60)
    await valkey.stop()
    for _ in range(2):  # the second one is not even asked: the back-off
        with pytest.raises(Unavailable):
            await replica.is_first_use(OTHER, 60)
    assert reported == [True, False]
    await valkey.start()
    clock.now += 60
    assert await replica.is_first_use(OTHER, 60)
    assert reported == [True, False, True]


@pytest.mark.external_service
async def test_a_redis_that_hangs_is_an_outage(replica_of, valkey):
    replica = replica_of(timeout_seconds=0.2)
    valkey.pause()
    with pytest.raises(Unavailable):
        await replica.is_first_use(KEY, 60)
    valkey.resume()


@pytest.mark.external_service
async def test_a_redis_that_may_not_write_is_an_outage(replica_of, valkey):
    async with Redis.from_url(valkey.url) as client:
        await client.config_set("maxmemory", "1")
    with pytest.raises(Unavailable):
        await replica_of().is_first_use(KEY, 60)
