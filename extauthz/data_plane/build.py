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
from extauthz.cache.redis import RedisOptions, RedisStore
from extauthz.cache.sealed import FactsSealer
from extauthz.cache.tiered import TieredCache
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.file_source import FileSource
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.model.clock import Clock
from extauthz.operations.app import operations_app
from extauthz.operations.server import OperationsServer
from extauthz.pipeline import CheckPipeline
from extauthz.settings import BackendJwtSettings, CacheBackend, CacheSettings, Settings
from extauthz.telemetry.health import Health
from extauthz.telemetry.logs import DecisionLog


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """The parts that the running process starts and stops."""

    health: Health
    server: EnvoyServer
    operations: OperationsServer
    catalog_source: FileSource


async def build(settings: Settings, folder: Path, stack: AsyncExitStack, *, clock: Clock = time.time) -> DataPlane:
    """Puts everything together; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: a secret is missing or of no use for its purpose.
    """
    secrets = read_secrets(settings.secrets, folder, os.environ)
    health, catalog = Health(), Catalog()
    session = await stack.enter_async_context(http_session())
    issuers = Issuers(IssuerConnections(session=session, secrets=secrets, clock=clock))
    stack.push_async_callback(issuers.close)
    signing_key = _signing_key(settings.backend_jwt, secrets)
    pipeline = CheckPipeline(
        catalog,
        _authenticators(settings, catalog, issuers, _token_caches(settings.cache, secrets, health, stack, clock)),
        functools.partial(backend_jwt, signer=_signer(settings, signing_key, clock)),
    )
    servicer = AuthorizationServicer(
        decider=pipeline,
        responses=_responses(settings),
        budget_seconds=settings.limits.check_seconds,
        on_decision=DecisionLog(),
    )
    jwks = jwk_set([signing_key]) if signing_key else None
    host, _, port = settings.operations.listen.rpartition(":")
    return DataPlane(
        health=health,
        server=EnvoyServer(address=settings.listen, servicer=servicer, health=health),
        operations=OperationsServer(
            operations_app(health=health, jwks=(lambda: jwks) if jwks else None), host=host.strip("[]"), port=int(port)
        ),
        catalog_source=FileSource(folder / settings.catalog.file, CatalogUpdates(catalog, issuers, health)),
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

    def memory() -> MemoryCache:
        return MemoryCache(entries=settings.entries, negative_entries=settings.negative_entries, clock=clock)

    store = _redis_store(settings, keys, secrets, health, clock)
    caches = _TokenCaches(keys=keys, jwt=TieredCache(memory()), introspection=TieredCache(memory(), store), clock=clock)
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

    with _told_at("cache", "redis", "password"):
        password = secrets.text(redis.password) if redis.password else None

    def report(*, reachable: bool) -> None:
        health.report("cache", ok=reachable, detail="redis" if reachable else "redis does not answer")

    return RedisStore(
        url=redis.url,
        sealer=FactsSealer(keys.sealing),
        clock=clock,
        health=report,
        options=RedisOptions(
            prefix=redis.key_prefix,
            timeout_seconds=redis.timeout_seconds,
            username=redis.username,
            password=password,
        ),
    )


def _authenticators(settings: Settings, catalog: Catalog, issuers: Issuers, caches: _TokenCaches) -> AuthenticatorChain:
    facts = FactMaker(ttl_seconds=settings.cache.ttl_seconds, negative_ttl_seconds=settings.cache.negative_ttl_seconds)

    def known(cache: TieredCache) -> KnownTokens:
        return KnownTokens(cache=cache, keys=caches.keys, clock=caches.clock)

    return AuthenticatorChain(
        [
            JwtAuthenticator(catalog=catalog, issuers=issuers, known=known(caches.jwt), facts=facts),
            IntrospectionAuthenticator(
                catalog=catalog, issuers=issuers, known=known(caches.introspection), facts=facts
            ),
        ],
        max_token_bytes=settings.limits.token_bytes,
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
    return BackendJwtSigner(key=key, profile=profile, clock=clock, cache_entries=settings.cache.entries)


def _responses(settings: Settings) -> ResponseBuilder:
    header = settings.backend_jwt.header if settings.backend_jwt else BackendJwtSettings.model_fields["header"].default
    with _told_at("backend_jwt", "header"):
        return ResponseBuilder(
            ResponsePolicy(error_format=settings.errors.format, realm=settings.errors.realm, backend_jwt_header=header)
        )


@contextmanager
def _told_at(*location: str) -> Iterator[None]:
    """A value that turns out to be of no use is a mistake in the settings, at this place."""
    try:
        yield
    except ValueError as error:
        raise DocumentError("settings", [Mistake(location=location, message=str(error))]) from error
