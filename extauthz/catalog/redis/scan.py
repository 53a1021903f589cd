"""A hash that may be large, a little at a time."""

from collections.abc import AsyncIterator, Iterator, Sequence
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


async def scanned(server: Server, key: bytes) -> AsyncIterator[Sequence[Pair]]:
    """All fields of a hash, some perhaps twice; HSCAN tells each that is there from beginning to end."""
    cursor = b"0"
    while True:
        match await server.execute(b"HSCAN", key, cursor, b"COUNT", _COUNT):
            case [bytes() as cursor, [*flat]]:
                yield list(zip(flat[::2], flat[1::2], strict=True))
            case _:
                raise odd_answer()
        if cursor == b"0":
            return


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
