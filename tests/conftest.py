"""For all tests: servers for those that ask, and what one sets for the whole process, no other one meets."""

import logging

import pytest
import structlog
from redis.asyncio import Redis
from support.authorization_server import AuthorizationServer
from support.valkey import ValkeyServer


@pytest.fixture(autouse=True)
def logs_as_they_were():
    """Commands that are called in this process configure logs for all of it, some without the lower levels."""
    config, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**config)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
async def server():
    """A key manager."""
    async with AuthorizationServer() as running:
        yield running


@pytest.fixture
async def valkey():
    async with ValkeyServer() as server:
        yield server


@pytest.fixture
async def stranger(valkey):
    """Somebody who can read and write there, and has no secret."""
    async with Redis.from_url(valkey.url) as client:
        yield client
