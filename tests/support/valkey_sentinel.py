"""A real Valkey with a replica, and three sentinels that watch them, on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from support.valkey import ValkeyServer

from extauthz.redis_client.options import SentinelServers

MASTER_NAME = "the-master"
FORMING_SECONDS = 60.0
SENTINELS = 3
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedValkey:
    """Which of the servers is the master is what the sentinels say."""

    nodes: tuple[ValkeyServer, ValkeyServer]
    sentinels: tuple[ValkeyServer, ...]

    @property
    def servers(self) -> SentinelServers:
        """For `RedisOptions`."""
        return SentinelServers(master=MASTER_NAME, nodes=[("127.0.0.1", each.port) for each in self.sentinels])

    async def master(self) -> ValkeyServer:
        """In the words of the first sentinel."""
        port = await _master_port(self.sentinels[0])
        return next(node for node in self.nodes if node.port == port)

    async def kill_master(self) -> ValkeyServer:
        """Kills it, and waits for nothing."""
        master = await self.master()
        await master.stop()
        return master

    async def demote_master(self) -> ValkeyServer:
        """The sentinels make the replica the master, and this one, which lives, its replica; waits for nothing."""
        master = await self.master()
        await _run(self.sentinels[0], "SENTINEL", "FAILOVER", MASTER_NAME)
        return master

    async def takes_itself_for_the_master(self, node: ValkeyServer) -> bool:
        """What a server says of itself; one that was replaced learns of it seconds later."""
        try:
            return bool((await _run(node, "ROLE"))[0] == b"master")
        except RedisConnectionError:  # it closes its connections when it learns of it
            return True

    async def everywhere(self, *command: str | int | bytes) -> None:
        """A command to each of the two servers that runs."""
        for node in self.nodes:
            if node.running:
                await _run(node, *command)


@contextlib.asynccontextmanager
async def watched_valkey(*arguments: str, sentinel_config: str = "") -> AsyncIterator[WatchedValkey]:
    """Two servers, replicated, and sentinels that know them and each other; a dead master is replaced in seconds.

    `arguments` are for the servers; `sentinel_config` is added to the file of each sentinel.
    """
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(ValkeyServer("--repl-diskless-sync-delay", "0", *arguments))
        follow = ("--replicaof", f"127.0.0.1 {first.port}", "--repl-diskless-sync-delay", "0")
        second = await stack.enter_async_context(ValkeyServer(*follow, *arguments))
        async with asyncio.timeout(FORMING_SECONDS):
            await _until_replicated(second)
            config = _config(first.port) + sentinel_config
            sentinels = [ValkeyServer("--sentinel", config=config) for _ in range(SENTINELS)]
            for each in sentinels:
                await stack.enter_async_context(each)
            watched = WatchedValkey(nodes=(first, second), sentinels=tuple(sentinels))
            for each in sentinels:
                await _until_it_knows_the_others(each)
        yield watched


def _config(port: int) -> str:
    return (
        f"sentinel monitor {MASTER_NAME} 127.0.0.1 {port} 2\n"
        f"sentinel down-after-milliseconds {MASTER_NAME} 1000\n"
        f"sentinel failover-timeout {MASTER_NAME} 6000\n"
    )


async def _until_replicated(replica: ValkeyServer) -> None:
    while b"master_link_status:up" not in await _run(replica, "INFO", "replication"):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(_POLL_SECONDS)


async def _until_it_knows_the_others(sentinel: ValkeyServer) -> None:
    while True:
        try:
            state = await _run(sentinel, "SENTINEL", "MASTER", MASTER_NAME)
        except RedisError:  # a user of the test's own may be needed; then the test waits for what it needs
            return
        facts = dict(zip(state[::2], state[1::2], strict=True))
        if (facts[b"num-slaves"], facts[b"num-other-sentinels"]) == (b"1", str(SENTINELS - 1).encode()):
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _master_port(sentinel: ValkeyServer) -> int:
    _, port = await _run(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME)
    return int(port)


async def _run(server: ValkeyServer, *command: str | int | bytes) -> Any:
    async with Redis.from_url(server.url, protocol=2) as client:
        # As bytes, so that redis-py leaves the answer as it is.
        name, *rest = (str(part).encode() if not isinstance(part, bytes) else part for part in command)
        return await client.execute_command(name, *rest)
