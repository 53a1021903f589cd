"""What every `TokenCache` keeps to, with and without a store that replicas share."""

import asyncio

import pytest
from msgspec.structs import replace as changed

from extauthz.cache.cache import TokenCache
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.cache.tiered import TieredCache
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.token import TokenFacts, TokenForm

KEYS = CacheKeys([b"s" * 32])
KEY, OTHER = (KEYS.token_key("default", "resident", b"", KEYS.named(token)) for token in ("token", "other"))
FACTS = TokenFacts(form=TokenForm.JWT, believe_until=1060.0, subject="alice", claims={"sub": "alice", "n": 1})
REFUSED = TokenFacts(form=TokenForm.INTROSPECTED, believe_until=1030.0, refusal=Reason.TOKEN_INACTIVE)


class MovedClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Counts the questions; a test lets it answer."""

    def __init__(self) -> None:
        self.facts = FACTS
        self.error: Exception | None = None
        self.questions = 0
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def learn(self) -> TokenFacts:
        self.questions += 1
        self.asked.set()
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return self.facts


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
async def issuer():
    return Issuer()


REDIS = [pytest.param(kind, marks=pytest.mark.external_service) for kind in ("valkey", "sentinel", "cluster")]


@pytest.fixture(params=["memory", *REDIS])
async def cache(request, clock, redis_options):
    memory = MemoryCache(entries=100, negative_entries=100, clock=clock)
    if request.param == "memory":
        alone = TieredCache(memory)
        yield alone
        await alone.close()
        return
    store = RedisStore(
        options=redis_options(request.param),
        sealer=FactsSealer(KEYS.sealing),
        clock=clock,
        health=lambda *, reachable: None,  # noqa: ARG005 - nobody listens here
        monotonic=clock,
    )
    shared = TieredCache(memory, store)
    yield shared
    await shared.close()


async def test_a_token_is_learned_once_and_then_known(cache: TokenCache, issuer):
    assert cache.peek(KEY) is None
    assert await cache.facts(KEY, issuer.learn) == FACTS
    assert cache.peek(KEY) == FACTS
    assert await cache.facts(KEY, issuer.learn) == FACTS
    assert issuer.questions == 1


async def test_each_key_has_facts_of_its_own(cache: TokenCache, issuer):
    await cache.facts(KEY, issuer.learn)
    issuer.facts = changed(FACTS, subject="bob")

    assert (await cache.facts(OTHER, issuer.learn)).subject == "bob"
    assert (await cache.facts(KEY, issuer.learn)).subject == "alice"


async def test_facts_are_learned_anew_when_they_may_no_longer_be_believed(cache: TokenCache, issuer, clock):
    await cache.facts(KEY, issuer.learn)
    clock.now = 1060.0
    issuer.facts = changed(FACTS, believe_until=1120.0)

    assert cache.peek(KEY) is None
    assert await cache.facts(KEY, issuer.learn) == issuer.facts
    assert issuer.questions == 2


async def test_negative_facts_are_remembered_too(cache: TokenCache, issuer, clock):
    issuer.facts = REFUSED
    await cache.facts(KEY, issuer.learn)
    assert await cache.facts(KEY, issuer.learn) == REFUSED
    assert issuer.questions == 1

    clock.now = 1030.0
    issuer.facts = FACTS
    assert await cache.facts(KEY, issuer.learn) == FACTS


async def test_facts_that_are_over_at_once_are_handed_out_and_not_kept(cache: TokenCache, issuer):
    issuer.facts = changed(FACTS, believe_until=1000.0)

    assert await cache.facts(KEY, issuer.learn) == issuer.facts
    assert cache.peek(KEY) is None
    await cache.facts(KEY, issuer.learn)
    assert issuer.questions == 2


async def test_a_crowd_asks_once(cache: TokenCache, issuer):
    issuer.answer.clear()
    crowd = asyncio.gather(*(cache.facts(KEY, issuer.learn) for _ in range(200)))
    await issuer.asked.wait()
    issuer.answer.set()

    assert await crowd == [FACTS] * 200
    assert issuer.questions == 1


async def test_the_first_of_a_crowd_may_leave(cache: TokenCache, issuer):
    issuer.answer.clear()
    first = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    second = asyncio.create_task(cache.facts(KEY, issuer.learn))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    issuer.answer.set()

    assert await second == FACTS
    assert issuer.questions == 1


async def test_what_nobody_waits_for_any_more_is_learned_all_the_same(cache: TokenCache, issuer):
    issuer.answer.clear()
    only = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    only.cancel()
    await asyncio.wait({only})
    issuer.answer.set()

    assert await cache.facts(KEY, issuer.learn) == FACTS
    assert issuer.questions == 1


@pytest.mark.parametrize("error", [Denied(Reason.INVALID_TOKEN), Unavailable("issuer")], ids=["denied", "unavailable"])
async def test_a_failure_reaches_the_crowd_and_is_not_remembered(cache: TokenCache, issuer, error):
    issuer.error = error
    issuer.answer.clear()
    crowd = asyncio.gather(*(cache.facts(KEY, issuer.learn) for _ in range(10)), return_exceptions=True)
    await issuer.asked.wait()
    issuer.answer.set()
    assert await crowd == [error] * 10

    issuer.error = None
    assert await cache.facts(KEY, issuer.learn) == FACTS
    assert issuer.questions == 2


async def test_forgotten_facts_are_learned_anew(cache: TokenCache, issuer):
    await cache.facts(KEY, issuer.learn)
    await cache.forget(KEY)

    assert cache.peek(KEY) is None
    await cache.facts(KEY, issuer.learn)
    assert issuer.questions == 2


async def test_facts_forgotten_while_they_are_learned_are_not_kept(cache: TokenCache, issuer):
    issuer.answer.clear()
    learning = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    await cache.forget(KEY)
    issuer.answer.set()

    assert await learning == FACTS
    assert cache.peek(KEY) is None
    await cache.facts(KEY, issuer.learn)
    assert issuer.questions == 2


async def test_closing_ends_what_is_being_learned(cache, issuer):
    issuer.answer.clear()
    learning = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    await cache.close()

    with pytest.raises(Unavailable):
        await learning
