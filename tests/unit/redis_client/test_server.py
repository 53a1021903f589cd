"""Commands to one server that refuses, hangs, vanishes and is demoted."""

import asyncio

import pytest
from redis.asyncio import Redis
from support.redis_servers import patient
from support.valkey import ValkeyServer

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import SentinelServers
from extauthz.redis_client.server import NotReached, Refused

pytestmark = pytest.mark.external_service

NARROW = ("ACL", "SETUSER", "narrow", "on", ">password", "~ours:*", "+get", "+set")


async def test_answers_are_those_of_the_second_protocol(client, valkey):
    server = client(valkey.url)
    assert await server.execute(b"SET", b"k", b"\xff\x00") == b"OK"
    assert await server.execute(b"GET", b"k") == b"\xff\x00"
    assert await server.execute(b"GET", b"other") is None
    assert await server.execute(b"INCR", b"n") == 1
    assert await server.execute(b"HSET", b"h", b"f", 7) == 1
    assert await server.execute(b"HGETALL", b"h") == [b"f", b"7"]


async def test_the_database_of_the_url_is_used(client, valkey):
    await client(valkey.url.removesuffix("/0") + "/3").execute(b"SET", b"k", b"v")
    assert await client(valkey.url).execute(b"GET", b"k") is None


async def test_a_socket_is_a_place_as_well(client, tmp_path):
    path = tmp_path / "valkey.sock"
    async with ValkeyServer("--unixsocket", str(path)):
        assert await client(f"unix://{path}").execute(b"PING") == b"PONG"


async def test_a_user_does_what_it_may_and_is_told_what_it_may_not(client, valkey):
    async with Redis.from_url(valkey.url) as operator:
        await operator.execute_command(*NARROW)
    server = client(valkey.url, username="narrow", password="password")
    assert await server.execute(b"SET", b"ours:k", b"v") == b"OK"
    for command in ((b"SET", b"theirs:k", b"v"), (b"DEL", b"ours:k")):
        with pytest.raises(Refused) as caught:
            await server.execute(*command)
        assert caught.value.word == "NOPERM"


@pytest.mark.parametrize("password", ["wrong", None])
async def test_who_may_not_enter_is_refused(client, password):
    async with ValkeyServer("--requirepass", "right") as guarded:
        with pytest.raises(Refused) as caught:
            await client(guarded.url, password=password).execute(b"GET", b"k")
        assert caught.value.word in {"WRONGPASS", "NOAUTH"}


async def test_a_refusal_tells_its_word_and_nothing_that_was_sent(client, valkey):
    server = client(valkey.url)
    await server.execute(b"SET", b"k", b"v")
    with pytest.raises(Refused) as wrong_kind:
        await server.execute(b"LPUSH", b"k", b"secret-4711")
    with pytest.raises(Refused) as unknown:
        await server.execute(b"NOSUCH", b"secret-4711", b"secret-4711")
    assert (wrong_kind.value.word, unknown.value.word) == ("WRONGTYPE", "ERR")
    assert "4711" not in f"{wrong_kind.value!r} {unknown.value!r} {unknown.value.detail}"


async def test_a_script_that_fails_is_refused_and_the_connection_is_used_again(client, valkey):
    server = client(valkey.url, connections=1)
    with pytest.raises(Refused, match="EVAL"):
        await server.execute(b"EVAL", b"return redis.call('GET')", 1, b"k")
    assert await server.execute(b"PING") == b"PONG"


async def test_nobody_on_the_port_is_told_at_once(client, valkey):
    await valkey.stop()
    with pytest.raises(NotReached, match="ConnectionRefusedError"):
        await client(valkey.url).execute(b"PING")


async def test_a_server_that_hangs_costs_the_time_out(client, valkey):
    server = client(valkey.url, timeout_seconds=0.2)
    valkey.pause()
    with pytest.raises(Unavailable, match="in time"):
        await server.execute(b"GET", b"k")
    valkey.resume()
    assert await server.execute(b"PING", timeout_seconds=20) == b"PONG"


async def test_a_connection_that_is_lost_while_waiting_is_told_and_replaced(client, valkey):
    server = client(valkey.url)
    waiting = asyncio.create_task(
        server.execute(b"XREAD", b"BLOCK", 60_000, b"STREAMS", b"s", b"$", timeout_seconds=60)
    )
    async with Redis.from_url(valkey.url) as stranger:
        while (await stranger.info("clients"))["blocked_clients"] == 0:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await valkey.restart()
    with pytest.raises(Unavailable):
        await waiting
    assert await server.execute(b"PING") == b"PONG"


async def test_a_crowd_waits_for_connections(client, valkey):
    server = client(valkey.url, connections=2)
    answers = await asyncio.gather(*(server.execute(b"INCR", b"n") for _ in range(200)))
    assert sorted(answers) == list(range(1, 201))
    async with Redis.from_url(valkey.url) as stranger:
        assert (await stranger.info("clients"))["connected_clients"] == 3


async def test_a_server_that_was_demoted_is_refused_and_reached_anew(client, valkey):
    """Behind a name that now leads to another server, only a new connection finds it."""
    server = client(valkey.url, connections=1)
    before = await server.execute(b"CLIENT", b"ID")
    async with Redis.from_url(valkey.url) as operator:
        await operator.replicaof("127.0.0.1", "1")
        with pytest.raises(Refused) as caught:
            await server.execute(b"SET", b"k", b"v")
        await operator.replicaof("NO", "ONE")
    assert caught.value.word == "READONLY"
    assert await server.execute(b"CLIENT", b"ID") > before


async def test_a_cluster_behind_one_address_says_so(client):
    async with ValkeyServer("--cluster-enabled", "yes") as node:
        with pytest.raises(Refused) as caught:
            await client(node.url).execute(b"GET", b"k")
        assert caught.value.word == "CLUSTERDOWN"


def test_another_scheme_is_refused_at_construction(client):
    with pytest.raises(ValueError, match="schemes"):
        client("http://127.0.0.1/")


def test_no_password_is_printed():
    sentinels = SentinelServers(master="m", nodes=[("host", 1)], password="first secret")
    assert "secret" not in repr(patient(sentinels, password="second secret"))
