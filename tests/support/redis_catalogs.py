"""A catalog in a real Valkey, written as `extauthz catalog apply` does, and spoiled as a stranger could."""

import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from support.cut_port import CutPort
from support.valkey import ValkeyServer

from extauthz.catalog.changes import Change, Entity, Identity, Kind, identity_of
from extauthz.catalog.redis.entry import field_of
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.snapshot import snapshot
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.redis.writer import RedisCatalogWriter
from extauthz.catalog.store import Head
from extauthz.redis_client.options import ClusterServers, RedisOptions, SentinelServers, SingleServer
from extauthz.redis_client.server import RedisServer

CATALOG_SECRET = b"a secret of at least 32 bytes, for catalogs"
PREFIX = "extauthz:"
Servers = SingleServer | SentinelServers | ClusterServers

_clock = itertools.count(1)
_FORGED = "forged"


def catalog_store(servers: Servers, secret: bytes = CATALOG_SECRET, **options: object) -> RedisCatalogStore:
    """A store that is patient with a busy machine."""
    server = RedisServer(
        RedisOptions(servers=servers, timeout_seconds=20.0, **options),  # type: ignore[arg-type]
        component="catalog",
        home=f"{{{PREFIX}catalog}}".encode(),
    )
    return RedisCatalogStore(server, CatalogKeys([secret], prefix=PREFIX), prefix=PREFIX, timeout_seconds=20.0)


class CatalogWriter:
    """Writes transactions."""

    def __init__(self, store: RedisCatalogStore, *, kept_changes: int = 1000) -> None:
        self.store = store
        self._kept_changes = kept_changes

    async def write(self, *put: Entity, remove: Iterable[Entity] = (), empty: bool = False, told: bool = True) -> Head:
        """One transaction; `told`: change by change; two changes at least are needed for one that is not."""
        writer = RedisCatalogWriter(
            self.store, kept_changes=self._kept_changes if told else 1, clock=lambda: float(next(_clock))
        )
        changes = [Change(identity=identity_of(entity), entity=entity) for entity in put]
        changes += [Change(identity=identity_of(entity), entity=None) for entity in remove]
        head = await writer.write(await snapshot(self.store), changes, empty=empty)
        assert head is not None
        return head


class SpoiledStore(RedisCatalogStore):
    """What a replica reads, by way of a port that can be cut; see `catalog_stores.MemoryStore` for what can be done."""

    def __init__(self, port: CutPort, client: Redis, writer: CatalogWriter) -> None:
        options = RedisOptions(servers=SingleServer(url=port.url), timeout_seconds=20.0)
        server = RedisServer(options, component="catalog")
        super().__init__(server, CatalogKeys([CATALOG_SECRET], prefix=PREFIX), prefix=PREFIX, timeout_seconds=20.0)
        self._port = port
        self._client = client
        self.write = writer.write

    async def trim(self) -> None:
        await self._client.xtrim(self.names.news, maxlen=0, approximate=False)

    async def flush(self) -> None:
        await self._client.flushall()

    async def lose(self, entity: Entity) -> None:
        identity = identity_of(entity)
        await self._client.hdel(self.names.entities(identity.kind), field_of(identity))

    async def forge(self, kind: Kind) -> None:
        field = field_of(Identity(kind=kind, organization="default", id=_FORGED))
        value = b"\x0a\x02\x0a\x00\x10\x01\x18\x01\x22\x20" + bytes(32)
        await self._client.hset(self.names.entities(kind), mapping={field: value})

    async def mend(self) -> None:
        for kind in Kind:
            field = field_of(Identity(kind=kind, organization="default", id=_FORGED))
            await self._client.hdel(self.names.entities(kind), field)

    async def shout(self) -> None:
        await self._client.xadd(self.names.news, {"stranger": "here"})

    async def save(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for key in await self._client.keys("*"):
            value = await self._client.dump(key)
            assert isinstance(key, bytes)
            assert value is not None
            found[key] = value
        return found

    async def restore(self, saved: dict[bytes, bytes]) -> None:
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.flushall()
            for key, value in saved.items():
                pipeline.restore(key, 0, value)
            await pipeline.execute()

    async def fail(self) -> None:
        await self._port.cut()

    async def recover(self) -> None:
        await self._port.mend()


@asynccontextmanager
async def spoiled_store(valkey: ValkeyServer) -> AsyncIterator[SpoiledStore]:
    """An empty one."""
    async with CutPort(valkey.port) as port, Redis.from_url(valkey.url) as client:
        await client.flushall()
        own = catalog_store(SingleServer(url=valkey.url))
        store = SpoiledStore(port, client, CatalogWriter(own))
        try:
            yield store
        finally:
            await store.close()
            await own.close()
