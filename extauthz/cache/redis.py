"""The second level: facts that replicas share in Redis, sealed."""

import math
import secrets
import time

from extauthz.cache.cache import Claim, ClaimOutcome, believed
from extauthz.cache.reachability import Health
from extauthz.cache.redis_connection import RedisConnection, RedisOptions
from extauthz.cache.sealed import FactsSealer
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts

__all__ = ["RedisOptions", "RedisStore"]

_MAX_EXPIRY_MILLISECONDS = 365 * 24 * 3600 * 1000
_OWNER_BYTES = 16
# Compare and delete in one step: a claim that ran out may already be another replica's.
_RELEASE = b"if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisStore:
    """`FactsStore` in a Redis or Valkey server. Connects at the first use.

    `url` is `redis://`, `rediss://` or `unix://`, with redis-py's query options. `monotonic` times the back-off.

    Raises:
        ValueError: a URL of another kind.
    """

    def __init__(
        self,
        *,
        url: str,
        sealer: FactsSealer,
        clock: Clock,
        health: Health,
        options: RedisOptions,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._connection = RedisConnection(url, options, component="redis cache", health=health, monotonic=monotonic)
        self._sealer = sealer
        self._clock = clock
        self._options = options

    async def get(self, key: bytes) -> TokenFacts | None:
        """GET, opened; a miss for anything else."""
        try:
            sealed = await self._connection.execute(b"GET", self._name(b"facts", key))
        except Unavailable:
            return None
        facts = self._sealer.open(key, sealed) if isinstance(sealed, bytes) else None
        # Redis' own expiry is not trusted: whoever can write there can put an old entry back.
        return facts if facts is not None and believed(facts, self._clock()) else None

    async def put(self, key: bytes, facts: TokenFacts) -> None:
        """SET with PX: Redis forgets when the fact may no longer be believed."""
        milliseconds = _milliseconds(facts.believe_until - self._clock())
        sealed = self._sealer.seal(key, facts)
        if milliseconds > 0 and sealed is not None:
            await self._attempt(b"SET", self._name(b"facts", key), sealed, b"PX", milliseconds)

    async def forget(self, key: bytes) -> None:
        """DEL of the facts; a claim stays."""
        await self._attempt(b"DEL", self._name(b"facts", key))

    async def claim(self, key: bytes) -> Claim:
        """SET with NX and PX, for `claim_seconds`."""
        owner = secrets.token_bytes(_OWNER_BYTES)
        milliseconds = max(1, _milliseconds(self._options.claim_seconds))
        try:
            answer = await self._connection.execute(
                b"SET", self._name(b"claim", key), owner, b"NX", b"PX", milliseconds
            )
        except Unavailable:
            return Claim(outcome=ClaimOutcome.UNREACHABLE)
        return Claim(outcome=ClaimOutcome.WON, owner=owner) if answer else Claim(outcome=ClaimOutcome.HELD)

    async def release(self, key: bytes, claim: Claim) -> None:
        """EVAL of a compare and delete."""
        if claim.outcome is ClaimOutcome.WON:
            await self._attempt(b"EVAL", _RELEASE, 1, self._name(b"claim", key), claim.owner)

    async def close(self) -> None:
        """Close the connections; the store is of no use afterwards."""
        await self._connection.close()

    def _name(self, kind: bytes, key: bytes) -> bytes:
        return b"%b%b:%b" % (self._options.prefix.encode(), kind, key.hex().encode())

    async def _attempt(self, *command: bytes | int) -> None:
        try:
            await self._connection.execute(*command)
        except Unavailable:
            return  # reported already; the entry is missing or stays until it expires


def _milliseconds(seconds: float) -> int:
    """For PX: 0 for what is over already, and a year for anything longer."""
    return int(min(max(seconds * 1000, 0), _MAX_EXPIRY_MILLISECONDS)) if not math.isnan(seconds) else 0
