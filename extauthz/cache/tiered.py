"""The token cache: memory, then a shared store, then the issuer, and one question for each token."""

import asyncio
import hashlib
from collections.abc import Iterator

from extauthz.cache.cache import Claim, ClaimOutcome, FactsStore, Learn
from extauthz.cache.memory import MemoryCache
from extauthz.cache.single_flight import SingleFlight
from extauthz.model.errors import Unavailable
from extauthz.model.token import TokenFacts

_FIRST_DELAY_SECONDS = 0.005
_LAST_DELAY_SECONDS = 0.05
_DELAY_GROWTH = 1.5
_VOUCHER = b"extauthz cache: voucher of a token, version 1"


class TieredCache:
    """`TokenCache` over memory and, with a store, over all replicas. For one event loop.

    A replica that finds a token being learned elsewhere waits for the outcome, `wait_seconds` at most, and takes over
    when the other vanishes; whatever the store does, the issuer is asked in the end.

    With a store, a fact is handed out stale only while the store holds a voucher for it: written by the replica that
    learned it, removed by any that is told otherwise. A store that is away or has lost the voucher vouches for nothing.
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

        The store is never asked for facts that are over: whoever can write there could put them back.
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
            await self._store.forget(_voucher_key(key))
            await self._store.forget(key)

    async def close(self) -> None:
        """Cancel what is being learned, then close the store."""
        await self._flights.close()
        if self._store is not None:
            await self._store.close()

    async def _fetch(self, key: bytes, learn: Learn, stale_seconds: float) -> TokenFacts:
        try:
            facts = await (learn() if self._store is None else self._shared(self._store, key, learn, stale_seconds))
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

    async def _shared(self, store: FactsStore, key: bytes, learn: Learn, stale_seconds: float) -> TokenFacts:
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
        return await self._claimed(store, key, claim, lambda: self._learned(store, key, learn, stale_seconds))

    async def _claimed(self, store: FactsStore, key: bytes, claim: Claim, learn: Learn) -> TokenFacts:
        try:
            # Between our look and our claim another may have stored and released: look again.
            facts = await store.get(key) if claim.outcome is ClaimOutcome.WON else None
            return facts if facts is not None else await learn()
        finally:
            await store.release(key, claim)

    async def _learned(self, store: FactsStore, key: bytes, learn: Learn, stale_seconds: float) -> TokenFacts:
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
