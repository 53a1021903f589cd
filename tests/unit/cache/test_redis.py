"""The second level, over a real server that vanishes, hangs and is written to by strangers."""

import asyncio
import contextlib

import pytest
from msgspec.structs import replace as changed
from redis.asyncio import Redis
from support.redis_servers import patient
from support.valkey import ValkeyServer

from extauthz.cache.cache import ClaimOutcome
from extauthz.cache.keys import CacheKeys
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.model.token import TokenFacts, TokenForm

pytestmark = pytest.mark.external_service

KEY, OTHER = b"k" * 32, b"o" * 32
FACTS_NAME, CLAIM_NAME = f"extauthz:facts:{KEY.hex()}", f"extauthz:claim:{KEY.hex()}"
FACTS = TokenFacts(form=TokenForm.INTROSPECTED, believe_until=1060.0, subject="alice", claims={"sub": "alice"})


@pytest.fixture
def sealer():
    return FactsSealer(CacheKeys([b"s" * 32]).sealing)


@pytest.fixture
def reported():
    return []


@pytest.fixture
async def store_of(valkey, clock, sealer, reported):
    """Makes stores on the server and closes them."""
    async with contextlib.AsyncExitStack() as stack:

        def make(url=None, **options):
            def health(*, reachable: bool) -> None:
                reported.append(reachable)

            store = RedisStore(
                options=patient(url or valkey.url, **options),
                sealer=sealer,
                clock=clock,
                health=health,
                monotonic=clock,
            )
            stack.push_async_callback(store.close)
            return store

        yield make


@pytest.fixture
async def server(valkey):
    """The server as a stranger sees it."""
    async with Redis.from_url(valkey.url) as client:
        yield client


async def test_what_one_replica_put_another_gets(store_of):
    await store_of().put(KEY, FACTS)

    assert await store_of().get(KEY) == FACTS
    assert await store_of().get(OTHER) is None


async def test_redis_forgets_when_the_fact_ends(store_of, server):
    await store_of().put(KEY, FACTS)

    assert 50_000 < await server.pttl(FACTS_NAME) <= 60_000


async def test_a_fact_without_end_expires_in_redis_all_the_same(store_of, server):
    store = store_of()
    await store.put(KEY, changed(FACTS, believe_until=float("inf")))

    assert 0 < await server.pttl(FACTS_NAME) <= 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("believe_until", [1000.0, 0.0, float("nan"), float("-inf")])
async def test_a_fact_that_is_over_is_not_stored(store_of, server, believe_until):
    await store_of().put(KEY, changed(FACTS, believe_until=believe_until))

    assert await server.dbsize() == 0


async def test_an_old_entry_put_back_is_not_believed(store_of, server, clock):
    store = store_of()
    await store.put(KEY, FACTS)
    kept = await server.get(FACTS_NAME)
    clock.now = 1060.0
    await server.set(FACTS_NAME, kept)

    assert await store.get(KEY) is None


async def test_an_entry_moved_under_another_key_is_a_miss(store_of, server):
    store = store_of()
    await store.put(KEY, FACTS)
    await server.copy(FACTS_NAME, f"extauthz:facts:{OTHER.hex()}")

    assert await store.get(OTHER) is None
    assert await store.get(KEY) == FACTS


@pytest.mark.parametrize("garbage", [b"", b"\x02", b"garbage", b"\x02" + b"\x00" * 100])
async def test_garbage_is_a_miss(store_of, server, garbage):
    await server.set(FACTS_NAME, garbage)

    assert await store_of().get(KEY) is None


async def test_a_value_of_another_kind_is_a_miss(store_of, server):
    await server.rpush(FACTS_NAME, "a list")

    assert await store_of().get(KEY) is None


async def test_a_forgotten_fact_is_gone(store_of):
    store = store_of()
    await store.put(KEY, FACTS)
    await store.forget(KEY)

    assert await store.get(KEY) is None


async def test_one_prefix_does_not_see_another(store_of, server):
    mesh = store_of(prefix="mesh-b:")
    await mesh.put(KEY, FACTS)

    assert await store_of().get(KEY) is None
    assert await server.keys() == [f"mesh-b:facts:{KEY.hex()}".encode()]


async def test_facts_that_cannot_be_sealed_are_not_stored(store_of, server):
    await store_of().put(KEY, changed(FACTS, claims={"n": object()}))

    assert await server.dbsize() == 0


async def test_one_replica_wins_a_claim(store_of):
    claims = [await store_of().claim(KEY) for _ in range(3)]

    assert [claim.outcome for claim in claims] == [ClaimOutcome.WON, ClaimOutcome.HELD, ClaimOutcome.HELD]


async def test_a_released_claim_can_be_won_again(store_of):
    store = store_of()
    await store.release(KEY, await store.claim(KEY))

    assert (await store_of().claim(KEY)).outcome is ClaimOutcome.WON


async def test_a_claim_ends_by_itself(store_of, server):
    await store_of().claim(KEY)

    assert 0 < await server.pttl(CLAIM_NAME) <= 3000


async def test_a_claim_that_ran_out_does_not_release_its_successor(store_of, server):
    slow, quick = store_of(), store_of()
    ran_out = await slow.claim(KEY)
    await server.delete(CLAIM_NAME)
    await quick.claim(KEY)
    await slow.release(KEY, ran_out)

    assert (await slow.claim(KEY)).outcome is ClaimOutcome.HELD


async def test_a_claim_that_was_not_won_releases_nothing(store_of):
    store = store_of()
    await store.claim(KEY)
    await store.release(KEY, await store.claim(KEY))

    assert (await store.claim(KEY)).outcome is ClaimOutcome.HELD


async def test_without_a_server_everything_is_a_miss_or_nothing(store_of, valkey, reported):
    store = store_of()
    await valkey.stop()

    assert await store.get(KEY) is None
    await store.put(KEY, FACTS)
    await store.forget(KEY)
    claim = await store.claim(KEY)
    assert claim.outcome is ClaimOutcome.UNREACHABLE
    await store.release(KEY, claim)
    assert reported == [False]


async def test_an_outage_and_its_end_are_reported_once_each(store_of, valkey, clock, reported):
    store = store_of()
    await store.put(KEY, FACTS)
    await valkey.stop()
    assert [await store.get(KEY) for _ in range(3)] == [None, None, None]
    await valkey.start()
    clock.now += 1.0
    await store.put(KEY, FACTS)

    assert await store.get(KEY) == FACTS
    assert reported == [True, False, True]


async def test_a_server_that_hangs_costs_one_time_out_and_then_nothing(store_of, valkey, reported):
    store = store_of(timeout_seconds=0.1)
    valkey.pause()
    loop = asyncio.get_running_loop()
    started = loop.time()
    misses = [await store.get(KEY) for _ in range(1000)]

    assert misses == [None] * 1000
    assert loop.time() - started < 20  # a thousand time-outs would be 100 s
    assert reported == [False]


async def test_a_server_that_hangs_holds_a_crowd_up_only_once(store_of, valkey, reported):
    store = store_of(timeout_seconds=0.2, connections=2)
    valkey.pause()
    loop = asyncio.get_running_loop()
    started = loop.time()

    assert await asyncio.gather(*(store.get(KEY) for _ in range(200))) == [None] * 200
    assert loop.time() - started < 10  # a hundred turns of two would be 20 s
    assert reported == [False]


async def test_a_server_that_hung_is_used_again(store_of, valkey, clock):
    endless = changed(FACTS, believe_until=float("inf"))
    patient, store = store_of(), store_of(timeout_seconds=0.2)
    await patient.put(KEY, endless)
    valkey.pause()
    assert await store.get(KEY) is None
    valkey.resume()

    while await store.get(KEY) != endless:
        clock.now += 1.0


async def test_a_crowd_above_the_connections_is_no_outage(store_of, reported):
    store = store_of(connections=2)
    await store.put(KEY, FACTS)

    assert await asyncio.gather(*(store.get(KEY) for _ in range(200))) == [FACTS] * 200
    assert reported == [True]


async def test_a_wait_for_a_connection_that_is_too_long_is_a_miss_and_no_outage(store_of, reported):
    store = store_of(timeout_seconds=0.01, connections=1)
    async with store._connection._server._slots:  # as if another command had the only connection
        assert await store.get(KEY) is None

    assert reported == []


async def test_a_caller_who_leaves_spoils_nothing(store_of, valkey):
    store = store_of(connections=1)
    await store.put(KEY, FACTS)
    valkey.pause()
    leaving = asyncio.create_task(store.get(KEY))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    valkey.resume()

    assert await store.get(OTHER) is None
    assert await store.get(KEY) == FACTS


async def test_a_stranger_on_the_port_is_an_outage(store_of, reported):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        store = store_of(url=f"redis://127.0.0.1:{port}/0")

        assert await store.get(KEY) is None
        assert reported == [False]


@pytest.mark.parametrize(("password", "expected", "reports"), [("right", FACTS, [True]), ("wrong", None, [False])])
async def test_a_server_with_a_password_is_used_with_it_only(store_of, reported, password, expected, reports):
    async with ValkeyServer("--requirepass", "right") as guarded:
        store = store_of(guarded.url, password=password)
        await store.put(KEY, FACTS)

        assert await store.get(KEY) == expected
    assert reported == reports


def test_the_password_is_not_printed():
    assert "secret word" not in repr(patient("redis://localhost", password="secret word"))


async def test_another_scheme_is_refused_at_construction(store_of):
    with pytest.raises(ValueError, match="schemes"):
        store_of(url="http://127.0.0.1/")
