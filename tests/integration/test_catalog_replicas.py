"""The catalog in a real Redis, followed by real replicas."""

import asyncio
import contextlib
import json

import pytest
from redis.asyncio import Redis
from support.catalog_service import at_revision, catalog_service, source_says, whole_catalog
from support.catalogs import api, contents
from support.check_client import OVERWRITES, allowed, check_request, connected, denied
from support.cut_port import CutPort
from support.decisions import GOOD
from support.redis_catalogs import CATALOG_SECRET, CatalogWriter, catalog_store
from support.redis_tls import tls_proxy
from support.valkey import ValkeyServer
from support.valkey_cluster import valkey_cluster
from support.valkey_sentinel import watched_valkey

from extauthz.catalog.changes import Change, identity_of
from extauthz.catalog.redis.entry import Entries, field_of
from extauthz.catalog.redis.messages import READER
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.snapshot import snapshot
from extauthz.catalog.redis.writer import RedisCatalogWriter
from extauthz.redis_client.options import SingleServer

pytestmark = [pytest.mark.external_service, OVERWRITES]


@contextlib.asynccontextmanager
async def writing(servers):
    """Somebody who holds the secret."""
    store = catalog_store(servers if not isinstance(servers, ValkeyServer) else SingleServer(url=servers.url))
    try:
        yield CatalogWriter(store)
    finally:
        await store.close()


@pytest.fixture
async def writer(valkey, server):
    async with writing(valkey) as running:
        await running.write(*whole_catalog(server))
        yield running


def another(number=1):
    """An API that needs no subscription."""
    made = api(id=f"other{number}", context=f"/other{number}", subscription_required=False)
    return contents(apis=[made], subscriptions=[]).apis[0]


async def replicated(valkey):
    """Whatever was written there until now has reached a replica of Redis."""
    async with Redis.from_url(valkey.url) as client:
        assert await client.execute_command("WAIT", 1, 20_000) >= 1


async def answer(service, server, path="/petstore/v1/pets"):
    headers = {"authorization": f"Bearer {server.issue_jwt(**GOOD)}"}
    async with connected(service.port) as stub:
        return await stub.check(check_request(path=path, headers=headers))


async def lets_in(service, server, path="/petstore/v1/pets"):
    allowed(await answer(service, server, path))


async def refuses(service, server, code, path="/petstore/v1/pets"):
    assert json.loads(denied(await answer(service, server, path)).body)["code"] == code


async def ready(service):
    return (await service.operations("/readyz"))[0] == 200


async def test_a_change_reaches_three_replicas(tmp_path, server, valkey, writer):
    async with contextlib.AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(catalog_service(tmp_path / str(number), server, valkey.url))
            for number in range(3)
        ]
        for replica in replicas:
            await lets_in(replica, server)
        subscription = contents().subscriptions[0]
        await writer.write(another(), remove=[subscription])
        for replica in replicas:
            await at_revision(replica, 2)
            await refuses(replica, server, "900908")
            await lets_in(replica, server, "/other1/pets")
        await writer.write(subscription, remove=[another()])
        for replica in replicas:
            await at_revision(replica, 3)
            await lets_in(replica, server)
            await refuses(replica, server, "404", "/other1/pets")


async def test_a_replica_that_is_cut_off_for_longer_than_the_stream_keeps_its_catalog_and_catches_up(
    tmp_path, server, valkey, writer
):
    async with CutPort(valkey.port) as port, catalog_service(tmp_path, server, port.url) as replica:
        await port.cut()
        await source_says(replica, ok=False, detail="redis")
        await writer.write(remove=[contents().subscriptions[0]])
        await writer.write(another())
        async with Redis.from_url(valkey.url) as client:
            await client.xtrim(writer.store.names.news, maxlen=0, approximate=False)
        await lets_in(replica, server)
        assert await ready(replica)
        await port.mend()
        await at_revision(replica, 3)
        await refuses(replica, server, "900908")
        await lets_in(replica, server, "/other1/pets")


async def test_a_redis_that_hangs_is_told_and_not_waited_for(tmp_path, server, valkey, writer):
    async with catalog_service(tmp_path, server, valkey.url) as replica:
        valkey.pause()
        try:
            await source_says(replica, ok=False, detail="redis")
            await lets_in(replica, server)
        finally:
            valkey.resume()
        await writer.write(another())
        await at_revision(replica, 2)


async def test_a_flushed_redis_leaves_the_catalog_as_it_is(tmp_path, server, valkey, writer):
    async with catalog_service(tmp_path, server, valkey.url) as replica:
        async with Redis.from_url(valkey.url) as client:
            await client.flushall()
        await source_says(replica, ok=False, detail="holds no catalog")
        await lets_in(replica, server)
        assert await ready(replica)
        await writer.write(*whole_catalog(server, subscriptions=[]))
        await at_revision(replica, 1)
        await refuses(replica, server, "900908")


async def test_an_entry_that_was_not_written_with_the_secret_freezes_and_blocks_the_first_readiness(
    tmp_path, server, valkey, writer
):
    async with catalog_service(tmp_path / "old", server, valkey.url) as old:
        async with writing(SingleServer(url=valkey.url)) as stranger, Redis.from_url(valkey.url) as client:
            forged = Entries(CatalogKeys([b"another secret of at least 32 bytes"], prefix="extauthz:"))
            granted = another()
            entry = forged.written(identity_of(granted), granted, 2).SerializeToString()
            await client.hset(
                stranger.store.names.entities(identity_of(granted).kind),
                mapping={field_of(identity_of(granted)): entry},
            )
            await client.xadd(stranger.store.names.news, {"transaction": entry})
        await source_says(old, ok=False, detail="secret")
        await lets_in(old, server)
        await refuses(old, server, "404", "/other1/pets")
        assert await ready(old)
        async with catalog_service(tmp_path / "new", server, valkey.url, wait_for="/healthz") as new:
            await source_says(new, ok=False, detail="secret")
            assert not await ready(new)
            await refuses(new, server, "900900")
            for replica in (old, new):
                await replica.processes.__aexit__(None, None, None)
                assert replica.logged().count('"event": "catalog_refused"') in {1, 2}
                assert granted.name not in replica.logged()


async def test_two_writers_at_once_lose_nothing(tmp_path, server, valkey, writer):
    async def write(own, numbers):
        for number in numbers:
            change = Change(identity=identity_of(another(number)), entity=another(number))
            head = None
            while head is None:
                head = await RedisCatalogWriter(own.store, kept_changes=1000, clock=lambda: 9.0).write(
                    await snapshot(own.store), [change], empty=False
                )

    async with catalog_service(tmp_path, server, valkey.url) as replica, writing(valkey) as second:
        await asyncio.gather(write(writer, range(10)), write(second, range(10, 20)))
        await at_revision(replica, 21)
        for number in range(20):
            await lets_in(replica, server, f"/other{number}/pets")
        await replica.processes.__aexit__(None, None, None)
        assert replica.logged().count('"event": "catalog_loaded"') == 1


async def test_a_failover_by_sentinels(tmp_path, server):
    async with watched_valkey() as watched, writing(watched.servers) as writer:
        await writer.write(*whole_catalog(server))
        nodes = [f"{host}:{port}" for host, port in watched.servers.nodes]
        section = {"sentinel": {"master": watched.servers.master, "nodes": nodes}}
        async with catalog_service(tmp_path, server, section) as replica:
            await replicated(await watched.master())
            await watched.kill_master()
            await lets_in(replica, server)
            await writer.write(another())
            await at_revision(replica, 2)
            await lets_in(replica, server, "/other1/pets")


async def test_a_cluster_and_the_loss_of_a_primary(tmp_path, server):
    async with valkey_cluster() as cluster, writing(cluster.servers) as writer:
        await writer.write(*whole_catalog(server))
        nodes = [f"{host}:{port}" for host, port in cluster.servers.nodes]
        async with catalog_service(tmp_path, server, {"cluster": {"nodes": nodes}}) as replica:
            await writer.write(another())
            await at_revision(replica, 2)
            primary = await cluster.primary(writer.store.names.head)
            await replicated(primary)
            await cluster.kill_primary(writer.store.names.head)
            await lets_in(replica, server)
            await writer.write(another(2))
            await at_revision(replica, 3)
            await lets_in(replica, server, "/other2/pets")


async def test_a_replica_needs_to_read_and_nothing_else(tmp_path, server, valkey, writer):
    async with Redis.from_url(valkey.url) as client:
        commands = ("+eval", "+get", "+xrevrange", "+hscan", "+xread")
        user = ("on", ">the password of a replica", "resetkeys", "~{extauthz:catalog}:*", "-@all", *commands)
        await client.execute_command("ACL", "SETUSER", "replica", *user)
    section = {"url": valkey.url, "username": "replica", "password": "redis-password"}
    tmp_path.joinpath("redis-password").write_text("the password of a replica")
    secrets = {"redis-password": {"file": "redis-password"}}
    async with catalog_service(tmp_path, server, section, secrets=secrets) as replica:
        await writer.write(another())
        await at_revision(replica, 2)
        await lets_in(replica, server, "/other1/pets")


async def test_tls_with_a_client_certificate(tmp_path, server, valkey, writer):
    async with tls_proxy(tmp_path, [valkey.port]) as proxy:
        certificate, key = proxy.authority.certificate("replica")
        (tmp_path / "replica-key.pem").write_bytes(key)
        tls = {"ca_file": str(proxy.authority.ca_file), "certificate_file": str(certificate), "key": "redis-key"}
        section = {"url": proxy.url(), "tls": tls}
        secrets = {"redis-key": {"file": str(tmp_path / "replica-key.pem")}}
        async with catalog_service(tmp_path / "replica", server, section, secrets=secrets) as replica:
            await writer.write(another())
            await at_revision(replica, 2)
            await lets_in(replica, server, "/other1/pets")


class NewerEntries(Entries):
    """A later version's: its entities have a field that ours have not."""

    def __init__(self, keys, minimum_reader):
        super().__init__(keys)
        self._newer_keys, self._minimum_reader = keys, minimum_reader

    def written(self, identity, entity, revision):
        entry = super().written(identity, entity, revision)
        entry.entity += b"\xc2\x3e\x05newer"  # field 1000, a string
        entry.minimum_reader = self._minimum_reader
        numbers = (revision, self._minimum_reader)
        entry.tag = self._newer_keys.entry_tag(identity.kind.encode(), field_of(identity), numbers, entry.entity)
        return entry


async def test_unknown_fields_of_a_newer_writer_do_not_matter(tmp_path, server, valkey, writer):
    async with catalog_service(tmp_path / "old", server, valkey.url) as old:
        writer.store.entries = NewerEntries(CatalogKeys([CATALOG_SECRET], prefix="extauthz:"), READER)
        await writer.write(another())
        await at_revision(old, 2)
        await lets_in(old, server, "/other1/pets")
        async with catalog_service(tmp_path / "new", server, valkey.url) as new:
            await lets_in(new, server, "/other1/pets")


async def test_an_entity_that_only_newer_replicas_understand_freezes_older_ones(tmp_path, server, valkey, writer):
    async with catalog_service(tmp_path, server, valkey.url) as replica:
        writer.store.entries = NewerEntries(CatalogKeys([CATALOG_SECRET], prefix="extauthz:"), READER + 1)
        await writer.write(another())
        await source_says(replica, ok=False, detail="newer")
        await lets_in(replica, server)
        await refuses(replica, server, "404", "/other1/pets")
