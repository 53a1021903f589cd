"""The token cache: memory, then a shared store, then the issuer, and one question for each token."""

import asyncio
import hashlib
from collections.abc import Iterator

from extauthz.cache.cache import Claim, ClaimOutcome, FactsStore, Learn, LearnNow
from extauthz.cache.memory import MemoryCache
from extauthz.cache.single_flight import SingleFlight
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts

_FIRST_DELAY_SECONDS = 0.005
_LAST_DELAY_SECONDS = 0.05
_DELAY_GROWTH = 1.5
_VOUCHER = b"extauthz cache: voucher of a token, version 1"


class Lookups:
    """How often facts were looked for. Plain numbers: one of them is counted on every Check."""

    __slots__ = ("memory_hits", "memory_misses", "store_hits", "store_misses")

    def __init__(self) -> None:
        self.memory_hits = 0
        self.memory_misses = 0
        self.store_hits = 0
        self.store_misses = 0
        """Also where the store did not answer."""


class TieredCache:
    """`TokenCache` over memory and, with a store, over all replicas. For one event loop.

    A replica that finds a token being learned elsewhere waits for the outcome, `wait_seconds` at most, and takes over
    when the other vanishes; whatever the store does, the issuer is asked in the end.

    With a store, a fact is handed out stale only while the store holds a voucher for it: written by the replica that
    learned it, removed by any that is told otherwise. A store that is away or has lost the voucher vouches for nothing.
    """

    def __init__(
        self,
        memory: MemoryCache,
        store: FactsStore | None = None,
        *,
        wait_seconds: float = 3.0,
        lookups: Lookups | None = None,
    ) -> None:
        """`lookups`: where to go on counting; None: begin at 0."""
        self.lookups = Lookups() if lookups is None else lookups
        self._memory = memory
        self._store = store
        self._wait_seconds = wait_seconds
        self._flights: SingleFlight[TokenFacts] = SingleFlight("token cache")
        self._looks: dict[bytes, object] = {}
        """Who looks into the store without a flight."""

    def peek(self, key: bytes) -> TokenFacts | None:
        """From memory only."""
        held = self._memory.get(key)
        if held is not None:  # that it is not there, `facts` counts, which is asked next
            self.lookups.memory_hits += 1
        return held

    async def facts(self, key: bytes, learn: Learn, *, stale_seconds: float = 0.0) -> TokenFacts:
        """From memory, the store or `learn`; the last two in one flight for all who ask; else stale from memory.

        The store is never asked for facts that are over: whoever can write there could put them back.
        """
        held = self._memory.get(key)
        if held is not None:
            self.lookups.memory_hits += 1
            return held
        self.lookups.memory_misses += 1
        if self._store is None or key in self._looks or self._flights.is_under_way(key):
            return await self._flights.join(key, lambda: self._fetch(key, learn, stale_seconds))
        found = await self._look(self._store, key, stale_seconds)
        if found is not None:
            return found
        return await self._flights.join(key, lambda: self._fetch(key, learn, stale_seconds, looked=True))

    def learned(self, key: bytes, learn: LearnNow) -> TokenFacts | None:
        """Learned and put into memory, unless there is a store, which replicas ask first."""
        if self._store is not None:
            return None
        facts = learn()
        if facts is not None:
            self.lookups.memory_misses += 1
            self._memory.put(key, facts)
        return facts

    async def _look(self, store: FactsStore, key: bytes, stale_seconds: float) -> TokenFacts | None:
        """What the store has, for the first who asks: a flight costs two more turns of the event loop.

        Whoever comes meanwhile takes one, so that nobody depends on a caller who may leave.
        """
        self._looks[key] = look = object()
        try:
            facts = await self._stored(store, key)
            if facts is not None and self._looks.get(key) is look:  # not forgotten in between
                self._memory.put(key, facts, keep_seconds=stale_seconds)
        finally:
            if self._looks.get(key) is look:
                del self._looks[key]
        return facts

    async def forget(self, key: bytes) -> None:
        """In memory and in the store; other replicas believe their own memory until its end."""
        self._flights.forget(key)
        self._looks.pop(key, None)
        self._memory.forget(key)
        if self._store is not None:
            await self._store.forget(_voucher_key(key))
            await self._store.forget(key)

    async def close(self) -> None:
        """Cancel what is being learned, then close the store."""
        await self._flights.close()
        if self._store is not None:
            await self._store.close()

    async def _fetch(self, key: bytes, learn: Learn, stale_seconds: float, *, looked: bool = False) -> TokenFacts:
        try:
            if self._store is None:
                facts = await learn()
            else:
                facts = await self._shared(self._store, key, learn, stale_seconds, looked=looked)
        except Unavailable:
            stale = await self._stale(key)
            if stale is None:
                raise
            return stale
        if self._flights.is_current(key):
            self._memory.put(key, facts, keep_seconds=stale_seconds)
        return facts

    async def _stale(self, key: bytes) -> TokenFacts | None:
        if self._store is not None and self._memory.stale(key) is not None:
            voucher = await self._store.get(_voucher_key(key))
            if voucher is None:
                return None
        # What was forgotten meanwhile is not in memory any more, so it does not come back here.
        return self._memory.stale(key)

    async def _shared(
        self, store: FactsStore, key: bytes, learn: Learn, stale_seconds: float, *, looked: bool
    ) -> TokenFacts:
        facts = None if looked else await self._stored(store, key)
        if facts is not None:
            return facts
        claim = await store.claim(key)
        for delay in _delays(self._wait_seconds):
            if claim.outcome is not ClaimOutcome.HELD:
                break
            await asyncio.sleep(delay)
            facts = await self._stored(store, key)
            if facts is not None:
                return facts
            claim = await store.claim(key)
        return await self._claimed(store, key, claim, lambda: self._learned(store, key, learn, stale_seconds))

    async def _claimed(self, store: FactsStore, key: bytes, claim: Claim, learn: Learn) -> TokenFacts:
        try:
            # Between our look and our claim another may have stored and released: look again.
            facts = await self._stored(store, key) if claim.outcome is ClaimOutcome.WON else None
            return facts if facts is not None else await learn()
        finally:
            await store.release(key, claim)

    async def _stored(self, store: FactsStore, key: bytes) -> TokenFacts | None:
        """Looks as often as it takes: a miss is counted when the issuer is asked."""
        facts = await store.get(key)
        if facts is not None:
            self.lookups.store_hits += 1
        return facts

    async def _learned(self, store: FactsStore, key: bytes, learn: Learn, stale_seconds: float) -> TokenFacts:
        self.lookups.store_misses += 1
        facts = await learn()
        if self._flights.is_current(key):
            if stale_seconds > 0:
                await _vouch(store, key, facts, stale_seconds)
            await store.put(key, facts)
        return facts


async def _vouch(store: FactsStore, key: bytes, facts: TokenFacts, stale_seconds: float) -> None:
    """Let replicas believe a positive fact late; end that, for all of them, when the fact is negative."""
    name = _voucher_key(key)
    if facts.refusal is not None:
        await store.forget(name)
        return
    # Only that there was a yes, not what it said: nobody can be let in by a voucher alone.
    await store.put(name, TokenFacts(form=facts.form, believe_until=facts.believe_until + stale_seconds))


def _voucher_key(key: bytes) -> bytes:
    """Differs from every token's key, which is a MAC under a secret, so that no voucher is read as facts."""
    return hashlib.sha256(_VOUCHER + key).digest()


def _delays(total: float) -> Iterator[float]:
    """Growing delays, `total` seconds together."""
    delay = _FIRST_DELAY_SECONDS
    while total > 0:
        yield min(delay, total)
        total -= delay
        delay = min(delay * _DELAY_GROWTH, _LAST_DELAY_SECONDS)
