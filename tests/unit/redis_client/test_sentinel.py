"""A master that sentinels watch, and that is killed, demoted or never was."""

import asyncio

import pytest
from redis.asyncio import Redis
from support.redis_servers import shared, until_it_answers
from support.valkey_sentinel import MASTER_NAME, watched_valkey

from extauthz.model.errors import Unavailable
from extauthz.redis_client.options import SentinelServers
from extauthz.redis_client.server import Refused

pytestmark = pytest.mark.external_service

ASKER = "user asker on >first ~* +sentinel|get-master-addr-by-name\n"


@pytest.fixture(scope="module")
def lasting():
    """For tests that change nothing."""
    with shared(watched_valkey) as watched:
        yield watched


@pytest.fixture
async def watched():
    async with watched_valkey() as servers:
        yield servers


async def test_the_master_is_asked(client, lasting):
    server = client(lasting.servers)
    assert await server.execute(b"SET", b"k", b"v") == b"OK"
    assert (await server.execute(b"ROLE"))[0] == b"master"


async def test_one_sentinel_that_answers_is_enough(client, lasting):
    nobody = ("127.0.0.1", 1)
    sentinels = SentinelServers(master=MASTER_NAME, nodes=[nobody, *lasting.servers.nodes[:1], nobody])
    assert await client(sentinels).execute(b"PING") == b"PONG"


async def test_a_sentinel_that_hangs_holds_nobody_up(client, watched):
    watched.sentinels[0].pause()
    assert await client(watched.servers).execute(b"PING") == b"PONG"
    watched.sentinels[0].resume()


async def test_a_master_that_nobody_knows_is_told_by_its_name(client, lasting):
    sentinels = SentinelServers(master="another", nodes=lasting.servers.nodes)
    with pytest.raises(Unavailable, match="no sentinel knows a master `another`"):
        await client(sentinels, timeout_seconds=0.3).execute(b"PING")


async def test_without_any_sentinel_nobody_is_reached(client):
    sentinels = SentinelServers(master=MASTER_NAME, nodes=[("127.0.0.1", 1)])
    with pytest.raises(Unavailable, match="no sentinel"):
        await client(sentinels, timeout_seconds=0.3).execute(b"PING")


async def test_a_killed_master_is_followed_by_the_one_in_its_place(client, watched):
    server = client(watched.servers, timeout_seconds=60.0)
    await server.execute(b"SET", b"k", b"v")
    await server.execute(b"WAIT", 1, 0)
    killed = await watched.kill_master()
    assert await until_it_answers(server, b"GET", b"k") == b"v"
    assert await server.execute(b"SET", b"k", b"w") == b"OK"  # by another one, then
    assert not killed.running


async def test_who_waits_for_news_at_a_killed_master_is_told_and_hears_them_from_the_next(client, watched):
    server = client(watched.servers, timeout_seconds=60.0)
    first = await server.execute(b"XADD", b"news", b"*", b"f", b"1")
    await server.execute(b"WAIT", 1, 0)
    read = (b"XREAD", b"BLOCK", 30_000, b"STREAMS", b"news", first)
    waiting = asyncio.create_task(server.execute(*read, timeout_seconds=60.0))
    async with Redis.from_url((await watched.master()).url) as stranger:
        while (await stranger.info("clients"))["blocked_clients"] == 0:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await watched.kill_master()
    with pytest.raises(Unavailable):
        await waiting
    second = await until_it_answers(server, b"XADD", b"news", b"*", b"f", b"2")
    assert await server.execute(*read) == [[b"news", [[second, [b"f", b"2"]]]]]


async def test_a_master_that_was_demoted_and_lives_is_left_by_who_only_reads(client, watched):
    """It closes its connections, and would answer reads on new ones."""
    server = client(watched.servers, timeout_seconds=60.0)
    await server.execute(b"GET", b"k")
    demoted = await watched.demote_master()
    async with asyncio.timeout(60):
        while await watched.takes_itself_for_the_master(demoted):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    assert (await until_it_answers(server, b"ROLE"))[0] == b"master"


async def test_a_user_needs_to_be_told_the_role(client, lasting):
    await lasting.everywhere("ACL", "SETUSER", "narrow", "on", ">password", "~*", "+get", "+role")
    assert await client(lasting.servers, username="narrow", password="password").execute(b"GET", b"none") is None
    await lasting.everywhere("ACL", "SETUSER", "narrow", "-role")
    with pytest.raises(Refused, match=r"refuses the connection for GET \(NOPERM"):
        await client(lasting.servers, username="narrow", password="password").execute(b"GET", b"k")


async def test_a_write_that_a_replica_refuses_waits_for_the_master(client, watched):
    """READONLY: nothing was done, so it may be tried again at whoever is the master."""
    server = client(watched.servers, timeout_seconds=60.0)
    await server.execute(b"SET", b"k", b"v")
    async with Redis.from_url((await watched.master()).url) as operator:
        await operator.replicaof("127.0.0.1", "1")
        write = asyncio.create_task(server.execute(b"SET", b"k", b"w"))
        while (await operator.info("errorstats")).get("errorstat_READONLY") is None:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
        await operator.replicaof("NO", "ONE")
    assert await write == b"OK"


async def test_sentinels_have_a_password_of_their_own(client):
    async with watched_valkey(sentinel_config=ASKER + "user default on >second ~* &* +@all\n") as guarded:
        nodes = guarded.servers.nodes
        right = SentinelServers(master=MASTER_NAME, nodes=nodes, username="asker", password="first")
        assert await client(right).execute(b"PING") == b"PONG"
        for wrong in ("second", None):
            sentinels = SentinelServers(master=MASTER_NAME, nodes=nodes, username="asker", password=wrong)
            with pytest.raises(Refused) as caught:
                await client(sentinels).execute(b"PING")
            assert "SENTINEL" in caught.value.detail
            assert caught.value.word in {"WRONGPASS", "NOAUTH"}
