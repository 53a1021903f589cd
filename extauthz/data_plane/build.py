"""Builds the data plane from its settings; everything that is opened goes onto one exit stack."""

import functools
import os
import secrets as randomness
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from extauthz.authn.authenticator import AuthenticatorChain
from extauthz.authn.binding import BindingCheck
from extauthz.authn.credentials import Credentials
from extauthz.authn.facts import FactMaker
from extauthz.authn.introspection import IntrospectionAuthenticator
from extauthz.authn.issuers import Issuers
from extauthz.authn.jwt import JwtAuthenticator
from extauthz.authn.known_tokens import KnownTokens
from extauthz.backend_jwt.claims import BackendJwtProfile
from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.selection import backend_jwt
from extauthz.backend_jwt.signer import BackendJwtSigner
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.redis import RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.cache.tiered import TieredCache
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.file_source import FileSource
from extauthz.data_plane.bindings import binding_check, health_of
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.revocation import RevocationParts, revocation_parts, revocation_routes
from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.model.clock import Clock
from extauthz.operations.app import operations_app
from extauthz.operations.server import OperationsServer
from extauthz.pipeline import CheckPipeline
from extauthz.revocation.check import RevocationCheck
from extauthz.settings.cache import CacheBackend, CacheSettings, FactCacheSettings
from extauthz.settings.process import BackendJwtSettings, Settings
from extauthz.telemetry.health import Health
from extauthz.telemetry.logs import DecisionLog


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """The parts that the running process starts and stops."""

    health: Health
    server: EnvoyServer
    operations: OperationsServer
    catalog_source: FileSource
    revocation: RevocationParts


async def build(settings: Settings, folder: Path, stack: AsyncExitStack, *, clock: Clock = time.time) -> DataPlane:
    """Puts everything together; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: a secret is missing or of no use for its purpose.
    """
    secrets = read_secrets(settings.secrets, folder, os.environ)
    health, catalog = health_of(settings), Catalog()
    session = await stack.enter_async_context(http_session())
    issuers = Issuers(IssuerConnections(session=session, secrets=secrets, clock=clock), clock)
    stack.push_async_callback(issuers.close)
    binding = binding_check(settings, secrets, health=health, stack=stack, clock=clock)
    signing_key = _signing_key(settings.backend_jwt, secrets)
    revocation = await revocation_parts(settings, secrets, health, stack, clock)
    caches = _token_caches(settings.cache, secrets, health, stack, clock)
    pipeline = CheckPipeline(
        catalog,
        _authenticators(settings, catalog, issuers, caches, binding, revocation.check),
        functools.partial(backend_jwt, signer=_signer(settings, signing_key, clock)),
    )
    servicer = AuthorizationServicer(
        decider=pipeline,
        responses=_responses(settings),
        budget_seconds=settings.limits.check_seconds,
        on_decision=DecisionLog(),
    )
    jwks = jwk_set([signing_key]) if signing_key else None
    operations = operations_app(
        health=health,
        jwks=(lambda: jwks) if jwks else None,
        more=revocation_routes(settings, secrets, revocation.revoker, clock),
    )
    host, _, port = settings.operations.listen.rpartition(":")
    return DataPlane(
        health=health,
        server=EnvoyServer(address=settings.listen, servicer=servicer, health=health),
        operations=OperationsServer(operations, host=host.strip("[]"), port=int(port)),
        catalog_source=FileSource(folder / settings.catalog.file, CatalogUpdates(catalog, issuers, health)),
        revocation=revocation,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TokenCaches:
    keys: CacheKeys
    jwt: TieredCache
    """In process only: verifying a signature again costs less than asking Redis."""
    introspection: TieredCache
    clock: Clock


def _token_caches(
    settings: CacheSettings, secrets: Secrets, health: Health, stack: AsyncExitStack, clock: Clock
) -> _TokenCaches:
    # Without a shared store nobody else needs to understand the keys.
    names = [secrets.value(name) for name in settings.secret] or [randomness.token_bytes(32)]
    with _told_at("cache", "secret"):
        keys = CacheKeys(names)

    def memory(positive: FactCacheSettings) -> MemoryCache:
        return MemoryCache(entries=positive.entries, negative_entries=settings.negative.entries, clock=clock)

    store = _redis_store(settings, keys, secrets, health, clock)
    caches = _TokenCaches(
        keys=keys,
        jwt=TieredCache(memory(settings.jwt)),
        introspection=TieredCache(memory(settings.introspection), store),
        clock=clock,
    )
    stack.push_async_callback(caches.jwt.close)
    stack.push_async_callback(caches.introspection.close)
    return caches


def _redis_store(
    settings: CacheSettings, keys: CacheKeys, secrets: Secrets, health: Health, clock: Clock
) -> RedisStore | None:
    redis = settings.redis
    if settings.backend is CacheBackend.MEMORY or redis is None:
        health.report("cache", ok=True, detail="memory")
        return None

    def report(*, reachable: bool) -> None:
        health.report("cache", ok=reachable, detail="redis" if reachable else "redis does not answer")

    return RedisStore(
        url=redis.url,
        sealer=FactsSealer(keys.sealing),
        clock=clock,
        health=report,
        options=redis_options(redis, secrets),
    )


def _authenticators(
    settings: Settings,
    catalog: Catalog,
    issuers: Issuers,
    caches: _TokenCaches,
    binding: BindingCheck,
    revocations: RevocationCheck,
) -> AuthenticatorChain:
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
    return AuthenticatorChain(
        [
            JwtAuthenticator(
                catalog=catalog,
                issuers=issuers,
                known=known(caches.jwt),
                facts=facts(settings.cache.jwt),
                introspection=introspection,
            ),
            introspection,
        ],
        credentials=Credentials(max_token_bytes=settings.limits.token_bytes, dpop=settings.dpop is not None),
        binding=binding,
    )


def _signing_key(settings: BackendJwtSettings | None, secrets: Secrets) -> SigningKey | None:
    if settings is None:
        return None
    with _told_at("backend_jwt", "key"):
        return SigningKey(secrets.value(settings.key), settings.algorithm.value)


def _signer(settings: Settings, key: SigningKey | None, clock: Clock) -> BackendJwtSigner | None:
    if settings.backend_jwt is None or key is None:
        return None
    profile = BackendJwtProfile(
        issuer=settings.backend_jwt.issuer,
        audience=settings.backend_jwt.audience,
        ttl_seconds=settings.backend_jwt.ttl_seconds,
        dialect=settings.backend_jwt.dialect,
    )
    reused = settings.cache.backend_jwt
    return BackendJwtSigner(
        key=key, profile=profile, clock=clock, cache_entries=reused.entries if reused.enabled else 0
    )


def _responses(settings: Settings) -> ResponseBuilder:
    header = settings.backend_jwt.header if settings.backend_jwt else BackendJwtSettings.model_fields["header"].default
    with _told_at("backend_jwt", "header"):
        return ResponseBuilder(
            ResponsePolicy(
                error_format=settings.errors.format,
                realm=settings.errors.realm,
                backend_jwt_header=header,
                dpop_algorithms=settings.dpop.algorithms if settings.dpop else frozenset(),
            )
        )


@contextmanager
def _told_at(*location: str) -> Iterator[None]:
    """A value that turns out to be of no use is a mistake in the settings, at this place."""
    try:
        yield
    except ValueError as error:
        raise DocumentError("settings", [Mistake(location=location, message=str(error))]) from error
