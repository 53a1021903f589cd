"""The second level: facts that replicas share in Redis, sealed."""

import asyncio
import math
import secrets
import time
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from extauthz.cache.cache import Claim, ClaimOutcome, believed
from extauthz.cache.reachability import Health, Reachability
from extauthz.cache.sealed import FactsSealer
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts

_MAX_EXPIRY_MILLISECONDS = 365 * 24 * 3600 * 1000
_OWNER_BYTES = 16
# Compare and delete in one step: a claim that ran out may already be another replica's.
_RELEASE = b"if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """How the shared cache uses its Redis."""

    username: str | None = None
    """Of an ACL user; None: the default user."""
    password: str | None = field(default=None, repr=False)
    prefix: str = "extauthz:"
    """Of every key, so that one server can serve several meshes."""
    timeout_seconds: float = 0.1
    """Of one command, with the wait for a connection: an outage costs a request no more than this, and only once."""
    back_off_seconds: float = 1.0
    """How long nobody asks after a failure."""
    claim_seconds: float = 3.0
    """How long one replica may take to learn a token before another takes over; above an issuer's time-out."""
    connections: int = 16
    """Commands in flight. Those above wait, so that a burst is not taken for an outage."""


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
        self._client = _client(url, options)
        self._sealer = sealer
        self._clock = clock
        self._options = options
        self._slots = asyncio.Semaphore(options.connections)
        self._reachability = Reachability(back_off_seconds=options.back_off_seconds, monotonic=monotonic, health=health)

    async def get(self, key: bytes) -> TokenFacts | None:
        """GET, opened; a miss for anything else."""
        try:
            sealed = await self._execute(b"GET", self._name(b"facts", key))
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
            answer = await self._execute(b"SET", self._name(b"claim", key), owner, b"NX", b"PX", milliseconds)
        except Unavailable:
            return Claim(outcome=ClaimOutcome.UNREACHABLE)
        return Claim(outcome=ClaimOutcome.WON, owner=owner) if answer else Claim(outcome=ClaimOutcome.HELD)

    async def release(self, key: bytes, claim: Claim) -> None:
        """EVAL of a compare and delete."""
        if claim.outcome is ClaimOutcome.WON:
            await self._attempt(b"EVAL", _RELEASE, 1, self._name(b"claim", key), claim.owner)

    async def close(self) -> None:
        """Close the connections; the store is of no use afterwards."""
        try:
            await self._client.aclose()
        except (RedisError, OSError):  # a connection that is already lost needs no closing
            return

    def _name(self, kind: bytes, key: bytes) -> bytes:
        return b"%b%b:%b" % (self._options.prefix.encode(), kind, key.hex().encode())

    async def _attempt(self, *command: bytes | int) -> None:
        try:
            await self._execute(*command)
        except Unavailable:
            return  # reported already; the entry is missing or stays until it expires

    async def _execute(self, *command: bytes | int) -> object:
        """Redis' reply in bounded time; Unavailable when there is none."""
        asked = False
        try:
            async with asyncio.timeout(self._options.timeout_seconds), self._slots:
                if not self._reachability.may_try():
                    raise Unavailable("redis cache", "not asked again yet")
                asked = True
                reply: object = await self._client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it bare
        except (RedisError, OSError) as exc:  # OSError includes the time-out
            if asked:  # else every connection was busy: that is load, not an outage
                self._reachability.failed()
            raise Unavailable("redis cache", type(exc).__name__) from exc
        self._reachability.succeeded()
        return reply


def _client(url: str, options: RedisOptions) -> Redis:
    return Redis.from_url(
        url,
        username=options.username,
        password=options.password,
        max_connections=options.connections,
        socket_connect_timeout=options.timeout_seconds,
        # The deadline around each command covers reading and writing; a second one costs a task a command.
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),  # a miss is cheaper than a second attempt
        protocol=2,
        driver_info=None,  # nothing to say before the first command
    )


def _milliseconds(seconds: float) -> int:
    """For PX: 0 for what is over already, and a year for anything longer."""
    return int(min(max(seconds * 1000, 0), _MAX_EXPIRY_MILLISECONDS)) if not math.isnan(seconds) else 0
