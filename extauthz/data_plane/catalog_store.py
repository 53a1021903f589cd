"""Builds the store of a catalog that all replicas share."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.redis.store import RedisCatalogStore
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.data_plane.told_at import told_at
from extauthz.document.mistakes import DocumentError, Location, Mistake
from extauthz.model.errors import Unavailable
from extauthz.redis_client.eviction import eviction_policy, evicts
from extauthz.redis_client.server import RedisServer
from extauthz.settings.catalog import CatalogSettings
from extauthz.settings.process import Settings

_log = structlog.get_logger(__name__)
_REDIS: Location = ("catalog", "redis")


def catalog_store(settings: CatalogSettings, secrets: Secrets, folder: Path) -> RedisCatalogStore:
    """The store; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: the catalog is in no Redis, or a secret or a file is of no use.
    """
    if settings.redis is None:
        hint = "`catalog: {file: ...}` is read by each process for itself"
        raise DocumentError("settings", [Mistake(location=_REDIS, message="is missing", hint=hint)])
    options = redis_options(settings.redis, secrets, folder, section="catalog")
    with told_at("catalog", "secret"):
        keys = CatalogKeys([secrets.value(name) for name in settings.secret], prefix=options.prefix)
    server = RedisServer(options, component="catalog", home=f"{{{options.prefix}catalog}}".encode())
    return RedisCatalogStore(server, keys, prefix=options.prefix, timeout_seconds=options.timeout_seconds)


def operators_catalog_store(settings: Settings, folder: Path, environment: Mapping[str, str]) -> RedisCatalogStore:
    """The store, with only those secrets that it needs: an operator's machine need not have all that a replica has.

    Raises:
        DocumentError: as `catalog_store`, or a secret is not there.
    """
    redis = settings.catalog.redis
    names = {*settings.catalog.secret, *(redis.secret_names() if redis else ())}
    secrets = read_secrets({name: settings.secrets[name] for name in names}, folder, environment)
    return catalog_store(settings.catalog, secrets, folder)


async def ensure_kept(store: RedisCatalogStore) -> None:
    """Looks whether Redis keeps what it is given, where that can be seen.

    Raises:
        DocumentError: it may throw entries away.
    """
    try:
        policy = await eviction_policy(store.server)
    except Unavailable:
        return  # what is missing later shows in the sums
    if evicts(policy):
        message = f"its maxmemory-policy is {policy}, so it throws entries away when its memory is full"
        hint = "use noeviction or a volatile policy, or another server"
        raise DocumentError("settings", [Mistake(location=_REDIS, message=message, hint=hint)])
    if policy is None:
        _log.warning("eviction_policy_unknown", component="catalog", hint="it must not be one of allkeys-*")
