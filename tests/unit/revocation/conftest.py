"""A Valkey server, and replicas that follow it."""

import contextlib

import pytest
from redis.asyncio import Redis
from support.clock import Clock
from support.revocations import Replica, redis_channel, running_replica
from support.valkey import ValkeyServer


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def valkey():
    async with ValkeyServer() as server:
        yield server


@pytest.fixture
async def stranger(valkey):
    """Somebody who can read and write there, and has no secret."""
    async with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
async def initialised(valkey):
    """The server after `extauthz revoke --initialize`."""
    channel = redis_channel(valkey.url)
    await channel.initialise()
    await channel.close()
    return valkey


@pytest.fixture
async def replica(valkey, clock):
    """Starts replicas on the server; each ends with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings) -> Replica:
            return await stack.enter_async_context(running_replica(valkey.url, clock, **settings))

        yield start
