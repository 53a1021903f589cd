"""Builds what knows access tokens."""

import secrets as randomness
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.binding import BindingCheck
from extauthz.authn.facts import FactMaker
from extauthz.authn.introspection import IntrospectionAuthenticator
from extauthz.authn.issuers import Issuers
from extauthz.authn.jwt import JwtAuthenticator
from extauthz.authn.jwt_routes import JwtRoutes
from extauthz.authn.known_tokens import KnownTokens
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.cache.tiered import TieredCache
from extauthz.catalog.catalog import Catalog
from extauthz.data_plane.lasting import CacheLookups
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.model.clock import Clock
from extauthz.revocation.check import RevocationCheck
from extauthz.settings.cache import CacheBackend, CacheSettings, FactCacheSettings
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheMemory:
    """What this process remembers. Nothing in it depends on settings other than those of the cache."""

    settings: CacheSettings
    secrets: tuple[bytes, ...] = field(repr=False)
    keys: CacheKeys
    jwt: MemoryCache
    introspection: MemoryCache
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCaches:
    """What is remembered about tokens, and the names it is kept under."""

    keys: CacheKeys
    jwt: TieredCache
    """In process only: verifying a signature again costs less than asking Redis."""
    introspection: TieredCache
    clock: Clock


def cache_memory(
    settings: CacheSettings, secrets: Secrets, clock: Clock, former: CacheMemory | None = None
) -> CacheMemory:
    """An empty one, or the `former` if that was made by the same settings.

    Raises:
        DocumentError: a secret is of no use.
    """
    values = tuple(secrets.value(name) for name in settings.secret)
    if former is not None and (former.settings, former.secrets) == (settings, values):
        return former
    with told_at("cache", "secret"):
        # Without a shared store nobody else needs to understand the keys.
        keys = CacheKeys(values or [randomness.token_bytes(32)])
    jwt, introspection = (
        MemoryCache(entries=positive.entries, negative_entries=settings.negative.entries, clock=clock)
        for positive in (settings.jwt, settings.introspection)
    )
    return CacheMemory(settings=settings, secrets=values, keys=keys, jwt=jwt, introspection=introspection, clock=clock)


def token_caches(
    memory: CacheMemory,
    secrets: Secrets,
    folder: Path,
    health: Health,
    stack: AsyncExitStack,
    lookups: CacheLookups,
) -> TokenCaches:
    """The caches over what this process remembers.

    Raises:
        DocumentError: a secret is of no use.
    """
    clock = memory.clock
    store = _redis_store(memory.settings, memory.keys, secrets, folder, health, clock)
    caches = TokenCaches(
        keys=memory.keys,
        jwt=TieredCache(memory.jwt, lookups=lookups.jwt),
        introspection=TieredCache(memory.introspection, store, lookups=lookups.introspection),
        clock=clock,
    )
    stack.push_async_callback(caches.jwt.close)
    stack.push_async_callback(caches.introspection.close)
    return caches


def _redis_store(
    settings: CacheSettings, keys: CacheKeys, secrets: Secrets, folder: Path, health: Health, clock: Clock
) -> RedisStore | None:
    redis = settings.redis
    if settings.backend is CacheBackend.MEMORY or redis is None:
        health.report("cache", ok=True, detail="memory")
        return None

    def report(*, reachable: bool) -> None:
        health.report("cache", ok=reachable, detail="redis" if reachable else "redis does not answer")

    return RedisStore(
        sealer=FactsSealer(keys.sealing),
        clock=clock,
        health=report,
        options=redis_options(redis, secrets, folder, section="cache"),
    )


def access_tokens(
    settings: Settings,
    catalog: Catalog,
    issuers: Issuers,
    caches: TokenCaches,
    binding: BindingCheck,
    revocations: RevocationCheck,
) -> AccessTokens:
    """What finds out whose a token is."""
    negative = settings.cache.negative

    def facts(positive: FactCacheSettings) -> FactMaker:
        # A fact that is over at once is kept nowhere: that is how a cache is switched off.
        return FactMaker(
            ttl_seconds=positive.ttl_seconds if positive.enabled else 0.0,
            negative_ttl_seconds=negative.ttl_seconds if negative.enabled else 0.0,
        )

    def known(cache: TieredCache) -> KnownTokens:
        return KnownTokens(
            cache=cache,
            keys=caches.keys,
            clock=caches.clock,
            revocations=revocations,
            refused=MemoryCache(entries=1, negative_entries=settings.cache.negative.entries, clock=caches.clock),
        )

    introspection = IntrospectionAuthenticator(
        catalog=catalog,
        issuers=issuers,
        known=known(caches.introspection),
        facts=facts(settings.cache.introspection),
    )
    return AccessTokens(
        [
            JwtAuthenticator(
                catalog=catalog,
                issuers=issuers,
                known=known(caches.jwt),
                # As many as there are facts, as each is of use only beside its facts.
                routes=JwtRoutes(settings.cache.jwt.entries if settings.cache.jwt.enabled else 0),
                facts=facts(settings.cache.jwt),
                introspection=introspection,
            ),
            introspection,
        ],
        keys=caches.keys,
        binding=binding,
    )
