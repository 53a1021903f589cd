"""The primaries of a cluster, and the slots that each has."""

import asyncio
import random
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extauthz.model.errors import Unavailable
from extauthz.redis_client.first_answer import first_answer
from extauthz.redis_client.node import Node, Nodes
from extauthz.redis_client.options import Address
from extauthz.redis_client.refused import NotReached

_SLOTS = 16_384
_ASKED_BESIDE = 5
"""Nodes that are asked for the slots beside those of the settings, which may all be replaced by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    first: int
    last: int
    nodes: tuple[Address, ...]
    """The primary first."""


class Cluster:
    """The nodes are asked for their slots at first, and again after whatever may be a failover or a move of slots.

    redis-py's own cluster client asks for the table of all commands, one more question for each key of XREAD, and
    walks all 16,384 slots in the event loop whenever a connection is lost; here a few ranges are compared.
    """

    changes = True

    def __init__(self, nodes: Nodes, *, addresses: Sequence[Address], component: str, home: bytes) -> None:
        self._nodes = nodes
        self._addresses = addresses
        self._component = component
        self._home = home
        self._ranges: tuple[_Range, ...] = ()
        self._known: dict[Address, Node] = {}
        self._doubted = True
        self._asking = asyncio.Lock()

    async def node(self, key: bytes | None) -> Node:
        """See `Topology`."""
        if self._doubted:
            async with self._asking:
                if self._doubted:
                    await self._turn(await self._ask())
        slot = key_slot(self._home if key is None else key)
        for each in self._ranges:
            if each.first <= slot <= each.last:
                return self.redirected(each.nodes[0])
        self._doubted = True
        raise NotReached(self._component, "no node of the cluster has the key's slot")

    def redirected(self, address: Address) -> Node:
        """See `Topology`."""
        if address not in self._known:
            self._known[address] = self._nodes.at(address)
        return self._known[address]

    def doubt(self) -> None:
        """See `Topology`."""
        self._doubted = True

    async def close(self) -> None:
        """See `Topology`."""
        for node in self._known.values():
            await node.close()

    async def _turn(self, ranges: tuple[_Range, ...]) -> None:
        self._ranges = ranges
        self._doubted = False
        primaries = {each.nodes[0] for each in ranges}
        gone = [self._known.pop(address) for address in tuple(self._known) if address not in primaries]
        if gone:
            await asyncio.shield(_retire(gone))  # whoever noticed may run out of time

    async def _ask(self) -> tuple[_Range, ...]:
        nobody = NotReached(self._component, "no node of the cluster answers")
        others = {address for each in self._ranges for address in each.nodes}.difference(self._addresses)
        beside = random.sample(sorted(others), min(len(others), _ASKED_BESIDE))
        return await first_answer([self._ask_one(address) for address in (*self._addresses, *beside)], nobody)

    async def _ask_one(self, address: Address) -> tuple[_Range, ...]:
        answer = await self._nodes.at(address).ask((b"CLUSTER", b"SLOTS"))
        ranges = tuple(_range(item, address[0]) for item in answer) if isinstance(answer, list) else ()
        if not ranges or None in ranges:
            raise Unavailable(self._component, "a node of the cluster knows no slots")
        return tuple(each for each in ranges if each is not None)


async def _retire(nodes: Sequence[Node]) -> None:
    for node in nodes:
        await node.retire()


def key_slot(key: bytes) -> int:
    """The slot of a key: CRC-16/XMODEM of what stands between its first `{` and the next `}`, else of all of it.

    Source: Redis Cluster Specification, "Key distribution model" and "Hash tags".
    """
    _, opened, rest = key.partition(b"{")
    tag, closed, _ = rest.partition(b"}")
    return crc_hqx(tag if opened and closed and tag else key, 0) % _SLOTS


def _range(item: Any, host_of_the_asked: str) -> _Range | None:
    match item:
        case [int() as first, int() as last, primary, *replicas]:
            nodes = [_address(node, host_of_the_asked) for node in (primary, *replicas)]
            if nodes[0] is not None:
                return _Range(first=first, last=last, nodes=tuple(node for node in nodes if node is not None))
    return None


def _address(node: Any, host_of_the_asked: str) -> Address | None:
    match node:
        case [None | b"", int() as port, *_]:
            return host_of_the_asked, port
        case [bytes() as host, int() as port, *_] if host != b"?":
            return host.decode(), port
    return None
