"""The large catalog in a Valkey, as its writers and readers see it."""

import time

from extauthz.catalog.changes import Change, identity_of
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.snapshot import Snapshot
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.catalog.redis.writer import RedisCatalogWriter
from extauthz.model.api_key import ApiKey
from extauthz.model.key_manager import JwtValidation, KeyManager
from extauthz.redis_client.options import RedisOptions, SingleServer
from extauthz.redis_client.server import RedisServer

SECRET = "a secret of at least 32 bytes, for catalogs"  # noqa: S105 - of a Valkey that lives for minutes
_PREFIX = "extauthz:"
_TOLD = 1
"""Change; two at once are not told one by one."""


def catalog_store(url: str) -> RedisCatalogStore:
    """A store that waits as long as it takes."""
    server = RedisServer(RedisOptions(servers=SingleServer(url=url), timeout_seconds=60.0), component="catalog")
    return RedisCatalogStore(
        server, CatalogKeys([SECRET.encode()], prefix=_PREFIX), prefix=_PREFIX, timeout_seconds=60.0
    )


def writer(store: RedisCatalogStore, *, kept_changes: int = 10_000) -> RedisCatalogWriter:
    """A writer by the clock of the machine."""
    return RedisCatalogWriter(store, kept_changes=kept_changes, clock=time.time)


def key_manager(issuer: str, jwks_uri: str) -> KeyManager:
    """The one of the benchmark, at a simulated issuer."""
    return KeyManager(id="km", issuer=issuer, jwt=JwtValidation(jwks_uri=jwks_uri))


async def have_everything_loaded_again(store: RedisCatalogStore, number: int) -> int:
    """Writes a change that is not told one by one; its revision."""
    record, position = await store.state()
    if position is None:
        raise RuntimeError("there is no catalog")
    names = (f"key-{number}-1", f"key-{number}-2")
    keys = [ApiKey(id=name, hash=name.encode().ljust(32), application="app-1") for name in names]
    changes = [Change(identity=identity_of(key), entity=key) for key in keys]
    before = Snapshot(record=record, head=position.head)
    head = await writer(store, kept_changes=_TOLD).write(before, changes, empty=False)
    if head is None:
        raise RuntimeError("somebody else writes")
    return head.revision
