"""Servers, and clients of them that are closed with the test."""

import contextlib

import pytest
from support.redis_servers import patient

from extauthz.redis_client.server import RedisServer


@pytest.fixture
async def client():
    """Makes clients of servers that are a URL, sentinels or a cluster."""
    async with contextlib.AsyncExitStack() as stack:

        def make(servers, home=b"", **options):
            made = RedisServer(patient(servers, **options), component="the tests", home=home)
            stack.push_async_callback(made.close)
            return made

        yield make
