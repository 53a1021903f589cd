"""The token cache: memory, then a shared store, then the issuer, and one question for each token."""

import asyncio
from collections.abc import Iterator

from extauthz.cache.cache import Claim, ClaimOutcome, FactsStore, Learn
from extauthz.cache.memory import MemoryCache
from extauthz.cache.single_flight import SingleFlight
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts

_FIRST_DELAY_SECONDS = 0.005
_LAST_DELAY_SECONDS = 0.05
_DELAY_GROWTH = 1.5


class TieredCache:
    """`TokenCache` over memory and, with a store, over all replicas. For one event loop.

    A replica that finds a token being learned elsewhere waits for the outcome, `wait_seconds` at most, and takes over
    when the other vanishes; whatever the store does, the issuer is asked in the end.
    """

    def __init__(self, memory: MemoryCache, store: FactsStore | None = None, *, wait_seconds: float = 3.0) -> None:
        self._memory = memory
        self._store = store
        self._wait_seconds = wait_seconds
        self._flights: SingleFlight[TokenFacts] = SingleFlight("token cache")

    def peek(self, key: bytes) -> TokenFacts | None:
        """From memory only."""
        return self._memory.get(key)

    async def facts(self, key: bytes, learn: Learn, *, stale_seconds: float = 0.0) -> TokenFacts:
        """From memory, the store or `learn`; the last two in one flight for all who ask; else stale from memory.

        The store is never asked for what is over: whoever can write there could put it back.
        """
        held = self._memory.get(key)
        if held is not None:
            return held
        return await self._flights.join(key, lambda: self._fetch(key, learn, stale_seconds))

    async def forget(self, key: bytes) -> None:
        """In memory and in the store; other replicas believe their own memory until its end."""
        self._flights.forget(key)
        self._memory.forget(key)
        if self._store is not None:
            await self._store.forget(key)

    async def close(self) -> None:
        """Cancel what is being learned, then close the store."""
        await self._flights.close()
        if self._store is not None:
            await self._store.close()

    async def _fetch(self, key: bytes, learn: Learn, stale_seconds: float) -> TokenFacts:
        try:
            facts = await (learn() if self._store is None else self._shared(self._store, key, learn))
        except Unavailable:
            # What was forgotten meanwhile is not in memory any more, so it does not come back here.
            stale = self._memory.stale(key)
            if stale is None:
                raise
            return stale
        if self._flights.is_current(key):
            self._memory.put(key, facts, keep_seconds=stale_seconds)
        return facts

    async def _shared(self, store: FactsStore, key: bytes, learn: Learn) -> TokenFacts:
        facts = await store.get(key)
        if facts is not None:
            return facts
        claim = await store.claim(key)
        for delay in _delays(self._wait_seconds):
            if claim.outcome is not ClaimOutcome.HELD:
                break
            await asyncio.sleep(delay)
            facts = await store.get(key)
            if facts is not None:
                return facts
            claim = await store.claim(key)
        return await self._claimed(store, key, learn, claim)

    async def _claimed(self, store: FactsStore, key: bytes, learn: Learn, claim: Claim) -> TokenFacts:
        try:
            # Between our look and our claim another may have stored and released: look again.
            facts = await store.get(key) if claim.outcome is ClaimOutcome.WON else None
            if facts is None:
                facts = await learn()
                if self._flights.is_current(key):
                    await store.put(key, facts)
            return facts
        finally:
            await store.release(key, claim)


def _delays(total: float) -> Iterator[float]:
    """Growing delays, `total` seconds together."""
    delay = _FIRST_DELAY_SECONDS
    while total > 0:
        yield min(delay, total)
        total -= delay
        delay = min(delay * _DELAY_GROWTH, _LAST_DELAY_SECONDS)
