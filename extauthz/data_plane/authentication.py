"""Builds what knows access tokens."""

import secrets as randomness
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.model.clock import Clock
from extauthz.revocation.check import RevocationCheck
from extauthz.settings.cache import CacheBackend, CacheSettings, FactCacheSettings
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCaches:
    """What is remembered about tokens, and the names it is kept under."""

    keys: CacheKeys
    jwt: TieredCache
    """In process only: verifying a signature again costs less than asking Redis."""
    introspection: TieredCache
    clock: Clock


def token_caches(
    settings: CacheSettings, secrets: Secrets, folder: Path, health: Health, stack: AsyncExitStack, clock: Clock
) -> TokenCaches:
    """The caches that the settings ask for.

    Raises:
        DocumentError: a secret is of no use.
    """
    # Without a shared store nobody else needs to understand the keys.
    names = [secrets.value(name) for name in settings.secret] or [randomness.token_bytes(32)]
    with told_at("cache", "secret"):
        keys = CacheKeys(names)

    def memory(positive: FactCacheSettings) -> MemoryCache:
        return MemoryCache(entries=positive.entries, negative_entries=settings.negative.entries, clock=clock)

    store = _redis_store(settings, keys, secrets, folder, health, clock)
    caches = TokenCaches(
        keys=keys,
        jwt=TieredCache(memory(settings.jwt)),
        introspection=TieredCache(memory(settings.introspection), store),
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
