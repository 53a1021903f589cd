"""How often the token cache was asked, by where the answer came from."""

import pytest
from support.clock import Clock

from extauthz.cache.cache import Claim, ClaimOutcome
from extauthz.cache.memory import MemoryCache
from extauthz.cache.tiered import Lookups, TieredCache
from extauthz.model.token import TokenFacts, TokenForm

KEY = b"k" * 32


@pytest.fixture
def clock():
    return Clock()


class Store:
    """See `FactsStore`; of one process, so that tests know what is in it."""

    def __init__(self):
        self.held = {}

    async def get(self, key):
        return self.held.get(key)

    async def put(self, key, facts):
        self.held[key] = facts

    async def forget(self, key):
        self.held.pop(key, None)

    async def claim(self, key):
        return Claim(outcome=ClaimOutcome.WON)

    async def release(self, key, claim):
        pass

    async def close(self):
        pass


def cached(clock, store=None, lookups=None):
    return TieredCache(MemoryCache(entries=10, negative_entries=10, clock=clock), store, lookups=lookups)


def counted(lookups):
    return lookups.memory_hits, lookups.memory_misses, lookups.store_hits, lookups.store_misses


async def asked(cache, clock):
    async def learn():
        return TokenFacts(form=TokenForm.INTROSPECTED, believe_until=clock() + 60)

    return cache.peek(KEY) or await cache.facts(KEY, learn)


async def test_without_a_store_there_is_one_level(clock):
    cache = cached(clock)
    for _ in range(3):
        await asked(cache, clock)
    assert counted(cache.lookups) == (2, 1, 0, 0)


async def test_what_another_replica_has_learned_is_a_hit_of_the_store(clock):
    store = Store()
    first, second = cached(clock, store), cached(clock, store)
    for cache in (first, second, second):
        await asked(cache, clock)
    assert counted(first.lookups) == (0, 1, 0, 1)
    assert counted(second.lookups) == (1, 1, 1, 0)


async def test_counts_go_on_in_the_next_cache(clock):
    lookups = Lookups()
    for _ in range(2):
        await asked(cached(clock, lookups=lookups), clock)
    assert counted(lookups) == (0, 2, 0, 0)
