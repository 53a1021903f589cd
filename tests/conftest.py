"""For all tests: a Valkey for those that ask, and what one of them sets for the whole process, no other one meets."""

import logging

import pytest
import structlog
from redis.asyncio import Redis
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
async def valkey():
    async with ValkeyServer() as server:
        yield server


@pytest.fixture
async def stranger(valkey):
    """Somebody who can read and write there, and has no secret."""
    async with Redis.from_url(valkey.url) as client:
        yield client
