"""A Valkey server, and replicas that follow it."""

import contextlib

import pytest
from support.clock import Clock
from support.revocations import Replica, redis_channel, running_replica


@pytest.fixture
def clock():
    return Clock()


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
