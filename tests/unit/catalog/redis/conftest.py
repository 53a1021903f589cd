"""A Valkey server, those who hold the catalog's secret, and one who does not."""

import contextlib

import pytest
from redis.asyncio import Redis
from support.shared_catalog import SharedCatalog, shared_catalog
from support.valkey import ValkeyServer


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
async def holder(valkey):
    """Opens stores and writers; each is closed with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(**settings) -> SharedCatalog:
            return await stack.enter_async_context(shared_catalog(valkey.url, **settings))

        yield opened
