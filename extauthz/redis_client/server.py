"""Commands to a Redis or Valkey, wherever it is now, in bounded time."""

import asyncio
from collections.abc import Sequence
from typing import Any

from extauthz.model.errors import Unavailable
from extauthz.redis_client.cluster import Cluster
from extauthz.redis_client.command_key import command_key
from extauthz.redis_client.node import Node, Nodes
from extauthz.redis_client.options import ClusterServers, RedisOptions, SentinelServers, SingleServer
from extauthz.redis_client.refused import Busy, NotReached, Redirected, Refused
from extauthz.redis_client.sentinel import WatchedMaster
from extauthz.redis_client.topology import OneServer, Topology

__all__ = ["Busy", "NotReached", "RedisServer", "Refused"]

_PAUSE_SECONDS = 0.05
"""Before it is looked again where a key is; a failover takes seconds."""
_ELSEWHERE = frozenset({"READONLY", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "LOADING"})
"""The server did nothing, because it is not, or not yet, the one that has the key."""


class RedisServer:
    """Runs commands. Connects at the first one.

    In a failover, or while a cluster moves slots, a command that was surely not carried out is tried again until its
    time is over; one that may have been is not, and the next command goes to the right server.

    Raises:
        ValueError: a URL that is not `redis://`, `rediss://` or `unix://`.
    """

    def __init__(self, options: RedisOptions, *, component: str, home: bytes = b"") -> None:
        """`component` names the use in `Unavailable`; commands without a key go where the key `home` would be."""
        self._component = component
        self._timeout_seconds = options.timeout_seconds
        self._topology = _topology(options, component, home)
        self._slots = asyncio.Semaphore(options.connections)

    async def execute(self, *command: bytes | int, timeout_seconds: float | None = None) -> Any:
        """The answer: bytes, numbers, lists and None, as in protocol 2.

        `timeout_seconds` is for a command that waits for something; it includes that.

        Raises:
            Refused: the server said no.
            Busy: no connection was free in time.
            Unavailable: no answer in time, or the connection was lost; the command may have been carried out.
        """
        missing = ""
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            async with asyncio.timeout(seconds), self._slots:
                missing = "TimeoutError"
                while True:
                    try:
                        return await self._attempt(command)
                    except (NotReached, Refused) as exc:
                        if not self._may_be_elsewhere(exc):
                            raise
                        missing = exc.detail
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as exc:
            if not missing:
                raise Busy(self._component, "every connection to redis is busy") from exc
            self._topology.doubt()
            raise Unavailable(self._component, f"redis does not answer in time ({missing})") from exc

    async def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        await self._topology.close()

    async def _attempt(self, command: Sequence[bytes | int]) -> Any:
        node = await self._topology.node(command_key(command))
        try:
            return await self._follow(node, command)
        except Refused:
            raise
        except Unavailable:
            self._topology.doubt()
            raise

    async def _follow(self, node: Node, command: Sequence[bytes | int]) -> Any:
        try:
            return await node.execute(command)
        except Redirected as exc:
            if not exc.asking:
                self._topology.doubt()
            return await self._topology.redirected(exc.address).execute(command, asking=exc.asking)

    def _may_be_elsewhere(self, exc: Unavailable) -> bool:
        if isinstance(exc, Refused) and exc.word not in _ELSEWHERE:
            return False
        self._topology.doubt()
        return self._topology.changes


def _topology(options: RedisOptions, component: str, home: bytes) -> Topology:
    watched = isinstance(options.servers, SentinelServers)
    nodes = Nodes(
        options=options, component=component, username=options.username, password=options.password, masters=watched
    )
    match options.servers:
        case SingleServer(url=url):
            return OneServer(nodes, url)
        case SentinelServers(master=name, nodes=addresses, username=username, password=password):
            sentinels = Nodes(options=options, component=component, username=username, password=password)
            return WatchedMaster(nodes, sentinels, name=name, addresses=addresses, component=component)
        case ClusterServers(nodes=addresses):
            return Cluster(nodes, addresses=addresses, component=component, home=home)
