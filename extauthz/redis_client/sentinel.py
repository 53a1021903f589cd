"""The master, as the sentinels know it."""

import asyncio
from collections.abc import Sequence

from extauthz.model.errors import Unavailable
from extauthz.redis_client.first_answer import first_answer
from extauthz.redis_client.node import Node, Nodes
from extauthz.redis_client.options import Address
from extauthz.redis_client.refused import NotReached


class WatchedMaster:
    """The master of that name. The sentinels are asked at first, and again after whatever may be a failover."""

    changes = True

    def __init__(
        self, nodes: Nodes, sentinels: Nodes, *, name: str, addresses: Sequence[Address], component: str
    ) -> None:
        self._nodes = nodes
        self._sentinels = sentinels
        self._name = name
        self._addresses = addresses
        self._component = component
        self._master: Node | None = None
        self._doubted = True
        self._asking = asyncio.Lock()

    async def node(self, key: bytes | None) -> Node:  # noqa: ARG002 - it has every key
        """See `Topology`."""
        if self._master is not None and not self._doubted:
            return self._master
        async with self._asking:
            if self._master is None or self._doubted:
                self._master = await self._turned(self._master, await self._ask())
                self._doubted = False
            return self._master

    def redirected(self, address: Address) -> Node:
        """See `Topology`."""
        return self._nodes.at(address)

    def doubt(self) -> None:
        """See `Topology`."""
        self._doubted = True

    async def close(self) -> None:
        """See `Topology`."""
        if self._master is not None:
            await self._master.close()

    async def _turned(self, former: Node | None, address: Address) -> Node:
        if former is not None and former.address == address:
            return former
        if former is not None:
            await asyncio.shield(former.retire())  # whoever noticed may run out of time
        return self._nodes.at(address)

    async def _ask(self) -> Address:
        nobody = NotReached(self._component, f"no sentinel knows a master `{self._name}`")
        return await first_answer([self._ask_one(address) for address in self._addresses], nobody)

    async def _ask_one(self, address: Address) -> Address:
        sentinel = self._sentinels.at(address)
        match await sentinel.ask((b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", self._name.encode())):
            case [bytes() as host, bytes() as port] if port.isdigit():
                return host.decode(), int(port)
        raise Unavailable(self._component, "a sentinel does not know the master")
