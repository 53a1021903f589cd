"""A catalog in a real Valkey: its store and its writer, and what they write."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from support.catalogs import contents

from extauthz.catalog.changes import Change, Entity, identity_of
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.scan import Server
from extauthz.catalog.redis.snapshot import Snapshot, snapshot
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.redis.writer import RedisCatalogWriter
from extauthz.catalog.store import Head
from extauthz.redis_client.options import RedisOptions, SingleServer
from extauthz.redis_client.server import RedisServer

CATALOG_SECRET = b"a secret of the catalog, 32 bytes long"
PREFIX = "extauthz:"
BEGUN_AT = 1000.0


def key(name: str) -> str:
    """A key of the catalog."""
    return f"{{{PREFIX}catalog}}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCatalog:
    """Somebody who holds the secret."""

    store: RedisCatalogStore
    writer: RedisCatalogWriter

    async def snapshot(self) -> Snapshot:
        return await snapshot(self.store)

    async def write(self, *entities: Entity, removed: Sequence[Entity] = (), before: Snapshot | None = None) -> Head:
        """Writes in one transaction, over what is there."""
        tombstones = [Change(identity=identity_of(entity), entity=None) for entity in removed]
        changes = [Change(identity=identity_of(entity), entity=entity) for entity in entities]
        head = await self.writer.write(before or await self.snapshot(), [*tombstones, *changes], empty=False)
        assert head is not None
        return head

    async def entities(self) -> list[Entity]:
        return list((await self.snapshot()).entities().values())


@contextlib.asynccontextmanager
async def shared_catalog(
    url: str,
    *,
    secrets: Sequence[bytes] = (CATALOG_SECRET,),
    kept_changes: int = 10_000,
    username: str | None = None,
    password: str | None = None,
    through: Any = lambda server: server,
) -> AsyncIterator[SharedCatalog]:
    """A store and a writer of their own; `through` stands between them and the server."""
    options = RedisOptions(servers=SingleServer(url=url), username=username, password=password, prefix=PREFIX)
    server: Server = through(RedisServer(options, component="catalog"))
    store = RedisCatalogStore(server, CatalogKeys(secrets, prefix=PREFIX), prefix=PREFIX, timeout_seconds=5.0)
    writer = RedisCatalogWriter(store, kept_changes=kept_changes, clock=lambda: BEGUN_AT)
    try:
        yield SharedCatalog(store=store, writer=writer)
    finally:
        await store.close()


def small_catalog(**sections: Any) -> list[Entity]:
    """A key manager, an API, an application and its subscription (see `support.catalogs`)."""
    return [entity for entity in contents(**sections).entities() if entity != contents().opaque_tokens]
