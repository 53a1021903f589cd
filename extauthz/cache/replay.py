"""Which proofs were used: each key counts once within its time, and where nobody can tell, nobody passes."""

import math
from collections import OrderedDict

from extauthz.cache.redis_connection import RedisConnection
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable

_COMPONENT = "replay memory"


class MemoryReplay:
    """Replay memory of one process, for one event loop. When it is full, it remembers nothing else: it forgets nothing.

    Raises:
        ValueError: room for nothing.
    """

    def __init__(self, *, entries: int, clock: Clock) -> None:
        if entries < 1:
            raise ValueError("a replay memory needs room for one entry at least")
        self._entries = entries
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()

    async def is_first_use(self, key: bytes, seconds: float) -> bool:
        """See `ReplayMemory`. Always asked with the same `seconds`, so that the oldest entry ends first."""
        now = self._clock()
        self._forget_ended(now)
        if key in self._until:
            return False
        if len(self._until) >= self._entries:
            # To forget one that still counts would let it be used again.
            raise Unavailable(_COMPONENT, "full: see dpop.replay_entries")
        self._until[key] = now + seconds
        return True

    def _forget_ended(self, now: float) -> None:
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)


class RedisReplay:
    """Replay memory that replicas share. Redis' own expiry is the only one: whoever writes there can forget for us."""

    def __init__(self, connection: RedisConnection, *, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix.encode()

    async def is_first_use(self, key: bytes, seconds: float) -> bool:
        """See `ReplayMemory`. One SET with NX and PX: of two replicas that ask at once, one is the first."""
        name = b"%bproof:%b" % (self._prefix, key.hex().encode())
        reply = await self._connection.execute(b"SET", name, b"1", b"NX", b"PX", max(1, math.ceil(seconds * 1000)))
        if reply is None:
            return False
        if reply != b"OK":
            raise Unavailable(_COMPONENT, "an answer that is not one to SET")
        return True
