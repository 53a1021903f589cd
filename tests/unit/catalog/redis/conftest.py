"""A Valkey server, those who hold the catalog's secret, and one who does not."""

import contextlib

import pytest
from support.shared_catalog import SharedCatalog, shared_catalog


@pytest.fixture
async def holder(valkey):
    """Opens stores and writers; each is closed with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(**settings) -> SharedCatalog:
            return await stack.enter_async_context(shared_catalog(valkey.url, **settings))

        yield opened
