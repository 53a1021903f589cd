"""The second level: facts that replicas share in Redis, sealed."""

import math
import secrets
import time

from extauthz.cache.cache import Claim, ClaimOutcome, believed
from extauthz.cache.reachability import Health
from extauthz.cache.redis_connection import RedisConnection
from extauthz.cache.sealed import FactsSealer
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts
from extauthz.redis_client.options import RedisOptions

_MAX_EXPIRY_MILLISECONDS = 365 * 24 * 3600 * 1000
_OWNER_BYTES = 16
# Compare and delete in one step: a claim that ran out may already be another replica's.
_RELEASE = b"if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisStore:
    """`FactsStore` in a Redis or Valkey. Connects at the first use; `monotonic` times the back-off.

    In a cluster its keys lie on all primaries: no command has two of them. `claim_seconds` is how long one replica may
    take to learn a token before another takes over; above an issuer's time-out.

    Raises:
        ValueError: a URL of another kind.
    """

    def __init__(
        self,
        *,
        options: RedisOptions,
        sealer: FactsSealer,
        clock: Clock,
        health: Health,
        claim_seconds: float = 3.0,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._connection = RedisConnection(options, component="redis cache", health=health, monotonic=monotonic)
        self._sealer = sealer
        self._clock = clock
        self._prefix = options.prefix.encode()
        self._claim_milliseconds = max(1, _milliseconds(claim_seconds))

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
        try:
            answer = await self._connection.execute(
                b"SET", self._name(b"claim", key), owner, b"NX", b"PX", self._claim_milliseconds
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
        return b"%b%b:%b" % (self._prefix, kind, key.hex().encode())

    async def _attempt(self, *command: bytes | int) -> None:
        try:
            await self._connection.execute(*command)
        except Unavailable:
            return  # reported already; the entry is missing or stays until it expires


def _milliseconds(seconds: float) -> int:
    """For PX: 0 for what is over already, and a year for anything longer."""
    return int(min(max(seconds * 1000, 0), _MAX_EXPIRY_MILLISECONDS)) if not math.isnan(seconds) else 0
