"""Memory, the shared store and the issuer together."""

import asyncio
import contextlib

import pytest
from msgspec.structs import replace as changed
from redis.asyncio import Redis
from support.redis_servers import patient

from extauthz.cache.cache import Claim, ClaimOutcome
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.cache.tiered import TieredCache
from extauthz.model.errors import Reason, Unavailable
from extauthz.model.token import TokenFacts, TokenForm

pytestmark = pytest.mark.external_service

TOKEN = "mF_9.B5f-4.1JqM"
KEYS = CacheKeys([b"s" * 32])
KEY = KEYS.token_key("default", "resident", b"", KEYS.named(TOKEN))
FACTS = TokenFacts(
    form=TokenForm.INTROSPECTED,
    believe_until=1060.0,
    subject="alice@example.com",
    client_id="client-of-alice",
    token_id="jti-of-alice",
    claims={"sub": "alice@example.com", "client_id": "client-of-alice"},
)
PATIENCE_SECONDS = 60.0


class Issuer:
    """Counts the questions; a test lets it answer."""

    def __init__(self) -> None:
        self.facts = FACTS
        self.error: Exception | None = None
        self.questions = 0
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def learn(self) -> TokenFacts:
        self.questions += 1
        self.asked.set()
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        return self.facts


@pytest.fixture
async def issuer():
    issuer = Issuer()
    issuer.answer.set()
    return issuer


@pytest.fixture
def reported():
    return []


@pytest.fixture
async def replica(valkey, clock, reported):
    """Makes replicas that share one server, and closes them."""

    def health(*, reachable: bool) -> None:
        reported.append(reachable)

    async with contextlib.AsyncExitStack() as stack:

        def make(wait_seconds=PATIENCE_SECONDS, claim_seconds=60.0, **options):
            memory = MemoryCache(entries=100, negative_entries=100, clock=clock)
            sealer = FactsSealer(KEYS.sealing)
            store = RedisStore(
                options=patient(valkey.url, **options),
                sealer=sealer,
                clock=clock,
                health=health,
                claim_seconds=claim_seconds,
                monotonic=clock,
            )
            cache = TieredCache(memory, store, wait_seconds=wait_seconds)
            stack.push_async_callback(cache.close)
            return cache

        yield make


async def test_a_burst_over_three_replicas_is_one_question(replica, issuer):
    replicas = [replica() for _ in range(3)]
    issuer.answer.clear()
    burst = asyncio.gather(*(replicas[n % 3].facts(KEY, issuer.learn) for n in range(1000)))
    await issuer.asked.wait()
    issuer.answer.set()

    assert await burst == [FACTS] * 1000
    assert issuer.questions == 1


async def test_bursts_of_many_tokens_are_one_question_each(replica, issuer):
    replicas = [replica() for _ in range(3)]
    keys = [KEYS.token_key("default", "resident", b"", KEYS.named(f"token {n}")) for n in range(50)]

    burst = [cache.facts(key, issuer.learn) for key in keys for cache in replicas]

    assert await asyncio.gather(*burst) == [FACTS] * 150
    assert issuer.questions == 50


async def test_what_one_replica_learned_another_need_not(replica, issuer):
    first, second = replica(), replica()
    await first.facts(KEY, issuer.learn)

    assert await second.facts(KEY, issuer.learn) == FACTS
    assert issuer.questions == 1


async def test_memory_filled_from_the_store_keeps_the_end_of_belief(replica, issuer, clock):
    first, second = replica(), replica()
    await first.facts(KEY, issuer.learn)
    clock.now = 1059.0
    await second.facts(KEY, issuer.learn)
    assert second.peek(KEY) == FACTS

    clock.now = 1060.0
    assert second.peek(KEY) is None


async def test_an_old_entry_put_back_is_learned_anew(replica, issuer, clock, valkey):
    await replica().facts(KEY, issuer.learn)
    name = f"extauthz:facts:{KEY.hex()}"
    async with Redis.from_url(valkey.url) as server:
        kept = await server.get(name)
        assert kept is not None
        clock.now = 1061.0
        issuer.facts = changed(FACTS, believe_until=1120.0)
        await server.set(name, kept)

    assert await replica().facts(KEY, issuer.learn) == issuer.facts
    assert issuer.questions == 2


async def test_nothing_learned_can_be_read_in_redis(replica, issuer, valkey):
    await replica().facts(KEY, issuer.learn)
    async with Redis.from_url(valkey.url) as server:
        names = [str(name) async for name in server.scan_iter()]
        stored = "".join(names) + "".join([repr(await server.get(name)) for name in names])

    assert names
    for secret in (TOKEN, *(str(value) for value in FACTS.claims.values()), "jti-of-alice"):
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_no_claim_stays_behind(replica, issuer, valkey):
    await replica().facts(KEY, issuer.learn)
    async with Redis.from_url(valkey.url) as server:
        assert await server.keys("*claim*") == []


async def test_no_claim_stays_behind_a_failure(replica, issuer, valkey):
    issuer.error = Unavailable("issuer")
    with pytest.raises(Unavailable):
        await replica().facts(KEY, issuer.learn)
    async with Redis.from_url(valkey.url) as server:
        assert await server.keys() == []


async def test_a_failed_replica_hands_over_to_one_that_waits(replica, issuer):
    winner, loser = replica(), replica()
    issuer.answer.clear()
    issuer.error = Unavailable("issuer")
    failing = asyncio.create_task(winner.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    second_issuer = Issuer()
    second_issuer.answer.set()
    waiting = asyncio.create_task(loser.facts(KEY, second_issuer.learn))
    issuer.answer.set()

    with pytest.raises(Unavailable):
        await failing
    assert await waiting == FACTS
    assert second_issuer.questions == 1


class JustStored:
    """A store in which another replica stores and releases between our look and our claim."""

    def __init__(self) -> None:
        self.looks = [None, FACTS]
        self.done: list[tuple[object, ...]] = []

    async def get(self, key: bytes) -> TokenFacts | None:
        self.done.append(("get", key))
        return self.looks.pop(0)

    async def claim(self, key: bytes) -> Claim:
        self.done.append(("claim", key))
        return Claim(outcome=ClaimOutcome.WON, owner=b"us")

    async def release(self, key: bytes, claim: Claim) -> None:
        self.done.append(("release", key, claim.owner))

    async def put(self, key: bytes, facts: TokenFacts) -> None:
        self.done.append(("put", key, facts))

    async def forget(self, key: bytes) -> None:
        self.done.append(("forget", key))

    async def close(self) -> None:
        self.done.append(("close",))


async def test_what_was_stored_between_look_and_claim_is_not_learned_again(issuer, clock):
    store = JustStored()
    cache = TieredCache(MemoryCache(entries=1, negative_entries=1, clock=clock), store)

    assert await cache.facts(KEY, issuer.learn) == FACTS
    await cache.close()
    assert issuer.questions == 0
    assert store.done == [("get", KEY), ("claim", KEY), ("get", KEY), ("release", KEY, b"us"), ("close",)]


async def test_a_vanished_replica_is_taken_over_from(replica, issuer, valkey):
    async with Redis.from_url(valkey.url) as server:
        await server.set(f"extauthz:claim:{KEY.hex()}", b"of a replica that died", px=50)

    assert await replica().facts(KEY, issuer.learn) == FACTS


async def test_nobody_waits_for_a_claim_longer_than_allowed(replica, issuer, valkey):
    async with Redis.from_url(valkey.url) as server:
        await server.set(f"extauthz:claim:{KEY.hex()}", b"of a replica that hangs")

    assert await replica(wait_seconds=0.05).facts(KEY, issuer.learn) == FACTS


async def test_without_redis_tokens_are_learned_and_remembered(replica, issuer, valkey, reported):
    cache = replica()
    await valkey.stop()

    assert [await cache.facts(KEY, issuer.learn) for _ in range(3)] == [FACTS] * 3
    assert issuer.questions == 1
    assert reported == [False]


async def test_redis_that_comes_back_is_shared_again(replica, issuer, valkey, clock, reported):
    first, second = replica(), replica()
    await valkey.stop()
    await first.facts(KEY, issuer.learn)
    await valkey.start()
    clock.now += 1.0
    await first.forget(KEY)
    await first.facts(KEY, issuer.learn)
    await second.facts(KEY, issuer.learn)

    assert issuer.questions == 2
    assert reported == [False, True, True]  # the second replica reports for itself


async def test_redis_that_vanishes_while_another_is_waited_for_is_not_waited_for(replica, issuer, valkey):
    winner, loser = replica(), replica()
    issuer.answer.clear()
    learning = asyncio.create_task(winner.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    second_issuer = Issuer()
    second_issuer.answer.set()
    waiting = asyncio.create_task(loser.facts(KEY, second_issuer.learn))
    await valkey.stop()

    assert await waiting == FACTS
    issuer.answer.set()
    assert await learning == FACTS


async def test_a_closed_replica_leaves_no_claim_for_the_others_to_wait_for(replica, issuer):
    leaving, staying = replica(), replica()
    issuer.answer.clear()
    caller = asyncio.create_task(leaving.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    await leaving.close()
    issuer.answer.set()

    with pytest.raises(Unavailable):
        await caller
    assert await staying.facts(KEY, issuer.learn) == FACTS


async def test_a_fact_forgotten_while_it_is_learned_is_not_shared(replica, issuer, valkey):
    cache = replica()
    issuer.answer.clear()
    learning = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await issuer.asked.wait()
    await cache.forget(KEY)
    issuer.answer.set()
    await learning

    assert cache.peek(KEY) is None
    async with Redis.from_url(valkey.url) as server:
        assert await server.keys() == []


class SlowStore(JustStored):
    """A store that answers when a test says so, with what it had when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = [FACTS, FACTS, FACTS]
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def get(self, key: bytes) -> TokenFacts | None:
        self.asked.set()
        found = await super().get(key)
        await self.answer.wait()
        return found


@pytest.fixture
async def slow(clock):
    store = SlowStore()
    cache = TieredCache(MemoryCache(entries=9, negative_entries=1, clock=clock), store)
    yield store, cache
    await cache.close()


async def test_what_is_forgotten_while_it_is_looked_for_is_not_held(slow, issuer):
    store, cache = slow
    looking = asyncio.create_task(cache.facts(KEY, issuer.learn))
    await store.asked.wait()
    await cache.forget(KEY)
    store.answer.set()
    await looking
    assert cache.peek(KEY) is None


async def test_a_caller_who_leaves_while_it_is_looked_for_stops_nobody(slow, issuer):
    store, cache = slow
    first, second, third = (asyncio.create_task(cache.facts(KEY, issuer.learn)) for _ in range(3))
    await store.asked.wait()
    first.cancel()
    store.answer.set()
    assert (await second, await third) == (FACTS, FACTS)
    assert cache.peek(KEY) == FACTS
    assert store.done.count(("get", KEY)) == 2  # the first by itself, the others together
    assert issuer.questions == 0


async def test_nothing_is_learned_at_once_past_a_store(slow):
    _, cache = slow
    assert cache.learned(KEY, lambda: FACTS) is None
    assert cache.peek(KEY) is None


# Stale, while the issuer does not answer


STALE_SECONDS = 600.0
INACTIVE = TokenFacts(form=TokenForm.INTROSPECTED, believe_until=1091.0, refusal=Reason.TOKEN_INACTIVE)


async def test_a_fact_the_store_vouches_for_is_stale_to_the_end_of_its_grace(replica, issuer, clock):
    learner, reader = replica(), replica()
    for cache in (learner, reader):
        await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    issuer.error = Unavailable("issuer")
    clock.now = FACTS.believe_until + STALE_SECONDS - 1

    for cache in (learner, reader):
        assert await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS) == FACTS
    clock.now += 1
    for cache in (learner, reader):
        with pytest.raises(Unavailable):
            await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)


async def test_what_another_replica_was_told_is_inactive_is_not_stale(replica, issuer, clock):
    holder, told = replica(), replica()
    await holder.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    clock.now = 1061.0
    issuer.facts = INACTIVE
    assert await told.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS) == INACTIVE
    issuer.error = Unavailable("issuer")
    clock.now = 1092.0

    for cache in (holder, told):
        with pytest.raises(Unavailable):
            await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)


async def test_an_inactive_token_is_asked_for_again_after_its_own_time(replica, issuer, clock):
    holder, told = replica(), replica()
    await holder.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    clock.now = 1061.0
    issuer.facts = INACTIVE
    await told.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    clock.now = 1092.0
    issuer.facts = changed(FACTS, believe_until=1152.0)

    assert await holder.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS) == issuer.facts


async def test_without_its_store_a_replica_serves_nothing_stale(replica, issuer, clock, valkey):
    cache = replica()
    await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    await valkey.stop()
    issuer.error = Unavailable("issuer")
    clock.now = 1061.0

    with pytest.raises(Unavailable):
        await cache.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)


async def test_what_another_replica_forgot_is_not_stale(replica, issuer, clock):
    holder, other = replica(), replica()
    await holder.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    await other.forget(KEY)
    issuer.error = Unavailable("issuer")
    clock.now = 1061.0

    with pytest.raises(Unavailable):
        await holder.facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)


async def test_a_voucher_lets_nobody_in_who_held_no_fact(replica, issuer, clock):
    await replica().facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
    issuer.error = Unavailable("issuer")
    clock.now = 1061.0

    with pytest.raises(Unavailable):
        await replica().facts(KEY, issuer.learn, stale_seconds=STALE_SECONDS)
