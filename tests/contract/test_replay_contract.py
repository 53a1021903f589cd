"""What every memory of used proofs keeps to, in process and over replicas."""

import asyncio

import pytest

from extauthz.cache.redis_connection import RedisConnection
from extauthz.cache.replay import MemoryReplay, RedisReplay

pytestmark = pytest.mark.external_service

KEY, OTHER = b"k" * 32, b"o" * 32


def unobserved(*, reachable: bool) -> None:
    """Nobody looks."""


@pytest.fixture(params=["memory", "valkey", "sentinel", "cluster"])
async def replay(request, redis_options):
    if request.param == "memory":
        yield MemoryReplay(entries=1000, clock=lambda: 1000.0)
        return
    options = redis_options(request.param)
    connection = RedisConnection(options, component="replay memory", health=unobserved)
    yield RedisReplay(connection, prefix=options.prefix)
    await connection.close()


async def test_a_key_is_used_for_the_first_time_once(replay):
    assert [await replay.is_first_use(KEY, 60) for _ in range(3)] == [True, False, False]


async def test_keys_are_apart(replay):
    assert await replay.is_first_use(KEY, 60)
    assert await replay.is_first_use(OTHER, 60)


async def test_of_many_at_once_one_is_the_first(replay):
    answers = await asyncio.gather(*(replay.is_first_use(KEY, 60) for _ in range(100)))
    assert answers.count(True) == 1


async def test_any_bytes_are_a_key(replay):
    for key in (b"", b"\x00\xff\r\n", b"x" * 1000):
        assert [await replay.is_first_use(key, 60) for _ in range(2)] == [True, False]
