"""Which server has a key."""

from typing import Protocol

from extauthz.redis_client.node import Node, Nodes
from extauthz.redis_client.options import Address


class Topology(Protocol):
    """Knows, or asks, where a key is. Used by one event loop."""

    changes: bool
    """Whether another server may take the place of one, so that looking again is of use."""

    async def node(self, key: bytes | None) -> Node:
        """The server to ask for a key; with None, for what concerns no key.

        Raises:
            Unavailable: nobody knows.
        """
        ...

    def redirected(self, address: Address) -> Node:
        """The server to which another one pointed."""
        ...

    def doubt(self) -> None:
        """What is known may no longer be so: look again before the next command."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class OneServer:
    """Always the same server.

    Raises:
        ValueError: a URL of another kind.
    """

    changes = False

    def __init__(self, nodes: Nodes, url: str) -> None:
        self._node = nodes.of_url(url)

    async def node(self, key: bytes | None) -> Node:  # noqa: ARG002 - it has every key
        """See `Topology`."""
        return self._node

    def redirected(self, address: Address) -> Node:  # noqa: ARG002 - a cluster behind one address is a mistake
        """See `Topology`: the same one, which will say so again."""
        return self._node

    def doubt(self) -> None:
        """See `Topology`."""

    async def close(self) -> None:
        """See `Topology`."""
        await self._node.close()
