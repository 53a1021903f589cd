"""A cluster whose primaries are killed and whose slots move."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from support.redis_servers import shared, until_it_answers
from support.valkey_cluster import valkey_cluster

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import ClusterServers
from extauthz.redis_client.server import Refused

pytestmark = pytest.mark.external_service

SPREAD = [b"key-%d" % number for number in range(30)]
NARROW = ("ACL", "SETUSER", "narrow", "on", ">password", "~*", "+get", "+set", "+asking", "+cluster|slots")
BOTH = b"return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])}"


@pytest.fixture(scope="module")
def lasting():
    """For tests that leave it whole."""
    with shared(valkey_cluster) as cluster:
        yield cluster


@pytest.fixture
async def cluster():
    async with valkey_cluster() as formed:
        yield formed


async def test_keys_lie_on_all_primaries_and_each_is_found(client, lasting):
    server = client(lasting.servers)
    for key in SPREAD:
        assert await server.execute(b"SET", key, key) == b"OK"
    assert [await server.execute(b"GET", key) for key in SPREAD] == SPREAD
    assert len({(await lasting.primary(key)).port for key in SPREAD}) == 3


async def test_every_command_that_is_used_finds_its_slot(client, lasting):
    server = client(lasting.servers)
    for number in range(8):
        tag = b"{user-%d}" % number
        assert await server.execute(b"EVAL", b"return redis.call('HSET', KEYS[1], 'f', 'v')", 1, tag + b"h") == 1
        assert await server.execute(b"HSCAN", tag + b"h", 0) == [b"0", [b"f", b"v"]]
        await server.execute(b"ZADD", tag + b"z", 1, b"m")
        assert await server.execute(b"ZSCAN", tag + b"z", b"0", b"COUNT", 10) == [b"0", [b"m", b"1"]]
        name = await server.execute(b"XADD", tag + b"s", b"*", b"f", b"v")
        read = await server.execute(b"XREAD", b"BLOCK", 1, b"STREAMS", tag + b"s", b"0-0")
        assert read == [[tag + b"s", [[name, [b"f", b"v"]]]]]
        assert await server.execute(b"EVAL", BOTH, 2, tag + b"a", tag + b"b") == [None, None]


async def test_keys_of_one_command_that_lie_apart_are_refused(client, lasting):
    with pytest.raises(Refused) as caught:
        await client(lasting.servers).execute(b"EVAL", BOTH, 2, b"{a}k", b"{b}k")
    assert caught.value.word == "CROSSSLOT"


async def test_what_concerns_no_key_is_asked_of_the_home_of_the_user(client, lasting):
    for home in (b"{a}", b"{b}", b"{c}"):
        answer = await client(lasting.servers, home=home).execute(b"INFO", b"server")
        assert f"tcp_port:{(await lasting.primary(home)).port}\r\n".encode() in answer


async def test_a_user_needs_no_more_than_the_slots(client, lasting):
    await lasting.everywhere(*NARROW)
    server = client(lasting.servers, username="narrow", password="password")
    assert [await server.execute(b"SET", key, b"v") for key in SPREAD] == [b"OK"] * len(SPREAD)
    with pytest.raises(Refused) as caught:
        await server.execute(b"DEL", SPREAD[0])
    assert caught.value.word == "NOPERM"


async def test_a_user_who_may_not_see_the_slots_is_told(client, lasting):
    await lasting.everywhere("ACL", "SETUSER", "blind", "on", ">password", "~*", "+get")
    with pytest.raises(Refused, match="CLUSTER"):
        await client(lasting.servers, username="blind", password="password").execute(b"GET", b"k")


async def test_a_node_that_is_none_of_a_cluster_is_told(client, valkey):
    with pytest.raises(Refused, match="CLUSTER"):
        await client(ClusterServers(nodes=[("127.0.0.1", valkey.port)])).execute(b"GET", b"k")


async def test_without_any_node_nobody_is_reached(client):
    with pytest.raises(Unavailable, match="no node of the cluster answers"):
        await client(ClusterServers(nodes=[("127.0.0.1", 1)]), timeout_seconds=0.3).execute(b"GET", b"k")


async def test_a_slot_on_its_way_is_followed_before_while_and_after(client, lasting):
    here, there = b"{moving}here", b"{moving}there"
    server = client(lasting.servers)
    await server.execute(b"SET", here, b"1")
    source, target = await lasting.begin_move(here)
    assert await server.execute(b"GET", here) == b"1"
    assert await server.execute(b"SET", there, b"2") == b"OK"  # ASK: new keys are the target's already
    async with Redis.from_url(target.url) as new_owner:
        assert await new_owner.execute_command(b"CLUSTER", b"COUNTKEYSINSLOT", key_slot(here)) == 1
    both = asyncio.create_task(server.execute(b"EVAL", BOTH, 2, here, there))  # TRYAGAIN until they are together
    await lasting.end_move(here, source, target)
    assert await both == [b"1", b"2"]
    assert await server.execute(b"GET", here) == b"1"  # MOVED, or known by now
    assert await lasting.primary(here) is target


async def test_a_killed_primary_is_followed_by_its_replica(client, cluster):
    server = client(cluster.servers, timeout_seconds=60.0)
    for key in SPREAD:
        await server.execute(b"SET", key, key)
        await server.execute(b"EVAL", b"return redis.call('GET', KEYS[1])", 1, key)
    killed = await cluster.kill_primary(SPREAD[0])
    assert [await until_it_answers(server, b"SET", key, b"v") for key in SPREAD] == [b"OK"] * len(SPREAD)
    assert await cluster.primary(SPREAD[0]) is not killed


async def test_nodes_that_the_settings_name_may_all_be_gone(client, cluster):
    key = SPREAD[0]
    primary = await cluster.primary(key)
    server = client(ClusterServers(nodes=[("127.0.0.1", primary.port)]), timeout_seconds=60.0)
    await server.execute(b"SET", key, b"v")
    await primary.stop()
    assert await until_it_answers(server, b"SET", key, b"w") == b"OK"


async def test_a_primary_that_stops_answering_is_left(client, cluster):
    """No connection is refused: only time tells, and then the nodes are asked again."""
    server = client(cluster.servers, timeout_seconds=1.0)
    await server.execute(b"SET", b"k", b"v")
    hung = await cluster.primary(b"k")
    hung.pause()
    assert await until_it_answers(server, b"SET", b"k", b"w") == b"OK"
    hung.resume()
