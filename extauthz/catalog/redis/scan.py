"""A hash that may be large, a little at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any, Protocol

from extauthz.model.errors import Unavailable

COMPONENT = "catalog"
Pair = tuple[bytes, bytes]
"""A field and its value."""
_COUNT = 1000


class Server(Protocol):
    """Where commands go (see `redis_client.server.RedisServer`)."""

    async def execute(self, *command: bytes | int, timeout_seconds: float | None = None) -> Any:
        """The answer.

        Raises:
            Unavailable: there is none, or it is a no.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


async def scanned(server: Server, key: bytes) -> AsyncGenerator[Sequence[Pair]]:
    """All fields of a hash, some perhaps twice; HSCAN tells each that is there from beginning to end.

    The next ones are on their way while some are read. Whoever stops before the end closes this.
    """
    ahead = asyncio.create_task(server.execute(b"HSCAN", key, b"0", b"COUNT", _COUNT))
    try:
        while True:
            match await ahead:
                case [bytes() as cursor, [*flat]]:
                    pairs = list(zip(flat[::2], flat[1::2], strict=True))
                case _:
                    raise odd_answer()
            if cursor == b"0":
                yield pairs
                return
            ahead = asyncio.create_task(server.execute(b"HSCAN", key, cursor, b"COUNT", _COUNT))
            yield pairs
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


def slices(pairs: Sequence[Pair], *, entries: int, octets: int) -> Iterator[Sequence[Pair]]:
    """Parts of at most so many pairs and, unless one pair alone is longer, of so many bytes."""
    part: list[Pair] = []
    length = 0
    for pair in pairs:
        length += len(pair[0]) + len(pair[1])
        if part and (length > octets or len(part) >= entries):
            yield part
            part, length = [], len(pair[0]) + len(pair[1])
        part.append(pair)
    if part:
        yield part


def odd_answer() -> Unavailable:
    """What came is not what Redis answers to this."""
    return Unavailable(COMPONENT, "redis gave an odd answer")
