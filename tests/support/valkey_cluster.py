"""A real Valkey cluster on loopback: three primaries, a replica each, and slots that can be moved."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError
from support.valkey import ValkeyServer

from extauthz.redis_client.options import ClusterServers

PRIMARIES = 3
FORMING_SECONDS = 60.0
_SLOTS = 16384
_POLL_SECONDS = 0.02
_ARGUMENTS = (
    *("--cluster-enabled", "yes"),
    *("--cluster-config-file", "nodes.conf"),
    *("--cluster-node-timeout", "1500"),
    *("--cluster-replica-validity-factor", "0"),
    *("--cluster-allow-replica-migration", "no"),
    *("--repl-diskless-sync-delay", "0"),
    *("--maxmemory-policy", "noeviction"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyCluster:
    """Six processes; those that were killed are among `nodes` still."""

    nodes: tuple[ValkeyServer, ...]

    @property
    def servers(self) -> ClusterServers:
        """For `RedisOptions`: three of them, a primary and replicas of others at first."""
        return ClusterServers(nodes=[("127.0.0.1", node.port) for node in self.nodes[:PRIMARIES]])

    async def primary(self, key: bytes) -> ValkeyServer:
        """Who has the key, in the words of whoever runs."""
        slots = await _run(next(node for node in self.nodes if node.running), "CLUSTER", "SLOTS")
        slot = key_slot(key)
        port = next(item[2][1] for item in slots if item[0] <= slot <= item[1])
        return next(node for node in self.nodes if node.port == port)

    async def kill_primary(self, key: bytes) -> ValkeyServer:
        """Kills who has the key, and waits for nothing."""
        primary = await self.primary(key)
        await primary.stop()
        return primary

    async def everywhere(self, *command: str | int | bytes) -> None:
        """A command to every server that runs."""
        for node in self.nodes:
            if node.running:
                await _run(node, *command)

    async def begin_move(self, key: bytes) -> tuple[ValkeyServer, ValkeyServer]:
        """From now on the slot of the key is on its way from the first to the second; its keys stay for now."""
        source = await self.primary(key)
        target = next([node for node in self.nodes[:PRIMARIES] if node is not source].__iter__())
        slot, ids = key_slot(key), [await _id(node) for node in (source, target)]
        await _run(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        await _run(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        return source, target

    async def end_move(self, key: bytes, source: ValkeyServer, target: ValkeyServer) -> None:
        """The keys of the slot follow, and the slot is the target's."""
        slot, new = key_slot(key), await _id(target)
        if keys := await _run(source, "CLUSTER", "GETKEYSINSLOT", slot, 1000):
            await _run(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            await _run(node, "CLUSTER", "SETSLOT", slot, "NODE", new)


@contextlib.asynccontextmanager
async def valkey_cluster(*arguments: str) -> AsyncIterator[ValkeyCluster]:
    """A cluster that is whole and replicated. It takes seconds to form: share one where tests allow it."""
    async with contextlib.AsyncExitStack() as stack:
        nodes = [ValkeyServer(*_ARGUMENTS, *arguments) for _ in range(2 * PRIMARIES)]
        for node in nodes:
            await stack.enter_async_context(node)
        async with asyncio.timeout(FORMING_SECONDS):
            await _form(nodes)
        yield ValkeyCluster(nodes=tuple(nodes))


async def _form(nodes: list[ValkeyServer]) -> None:
    for number, node in enumerate(nodes):
        await _run(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        await _run(node, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
    share = -(-_SLOTS // PRIMARIES)
    for number, node in enumerate(nodes[:PRIMARIES]):
        await _run(node, "CLUSTER", "ADDSLOTSRANGE", number * share, min((number + 1) * share, _SLOTS) - 1)
    for primary, replica in zip(nodes[:PRIMARIES], nodes[PRIMARIES:], strict=True):
        identity = await _id(primary)
        while not await _becomes_replica(replica, identity):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_POLL_SECONDS)
    for node in nodes:
        while not await _whole(node):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_POLL_SECONDS)


async def _becomes_replica(node: ValkeyServer, primary: str) -> bool:
    try:
        await _run(node, "CLUSTER", "REPLICATE", primary)
    except RedisError:  # it has not heard of the primary yet
        return False
    return True


async def _whole(node: ValkeyServer) -> bool:
    state = (await _run(node, "CLUSTER", "INFO")).decode()
    replication = (await _run(node, "INFO", "replication")).decode()
    slots = await _run(node, "CLUSTER", "SLOTS")
    replicated = "state=online" in replication or "master_link_status:up" in replication
    return (
        "cluster_state:ok" in state
        and f"cluster_known_nodes:{2 * PRIMARIES}" in state
        and replicated
        and all(len(item) > PRIMARIES for item in slots)  # first, last, primary, replica
    )


async def _id(node: ValkeyServer) -> str:
    identity: bytes = await _run(node, "CLUSTER", "MYID")
    return identity.decode()


async def _run(node: ValkeyServer, *command: str | int | bytes) -> Any:
    async with Redis.from_url(node.url, protocol=2) as client:
        # As bytes, so that redis-py leaves the answer as it is.
        name, *rest = (str(part).encode() if not isinstance(part, bytes) else part for part in command)
        return await client.execute_command(name, *rest)
