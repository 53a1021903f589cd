"""Options for servers of tests, and a cluster and watched servers that many tests share."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import ClusterServers, RedisOptions, SentinelServers, SingleServer
from extauthz.redis_client.server import RedisServer

Servers = str | SingleServer | SentinelServers | ClusterServers
"""A URL, or where several servers are."""

T = TypeVar("T")


def patient(servers: Servers, **options: Any) -> RedisOptions:
    """Options that are patient with a busy machine."""
    where = SingleServer(url=servers) if isinstance(servers, str) else servers
    return RedisOptions(**({"servers": where, "timeout_seconds": 20.0} | options))


async def until_it_answers(server: RedisServer, *command: bytes | int) -> Any:
    """What was lost with the old master is told; the next command that can be answered is."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(Unavailable):
                return await server.execute(*command)
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def shared(start: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """For fixtures that outlive the event loop of a test; what is started must belong to none, as Valkey does."""
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(max_workers=1) as beside:  # the loop of a test runs in this thread
        try:
            context = start()
            value = beside.submit(loop.run_until_complete, context.__aenter__()).result()
            try:
                yield value
            finally:
                beside.submit(loop.run_until_complete, context.__aexit__(None, None, None)).result()
        finally:
            loop.close()
