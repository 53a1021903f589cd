"""A pipeline in the test's own process, with a simulated issuer behind it."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from support.authorization_server import AuthorizationServer
from support.catalogs import contents, key_manager, request
from support.clock import Clock
from support.revocations import RETENTION, HeldRevocations

from extauthz.authn.access_token import AccessTokens
from extauthz.authn.api_key import ApiKeys
from extauthz.authn.api_key_hash import ApiKeyHashes
from extauthz.authn.authenticator import Authenticator, AuthenticatorChain
from extauthz.authn.binding import BindingCheck
from extauthz.authn.client_address import ClientAddress, peer_address
from extauthz.authn.client_certificate import ClientCertificate, peer_certificate
from extauthz.authn.credentials import Credentials
from extauthz.authn.dpop_binding import DpopBinding, ReplayMemory
from extauthz.authn.facts import FactMaker
from extauthz.authn.introspection import IntrospectionAuthenticator
from extauthz.authn.issuers import Issuers
from extauthz.authn.jwt import JwtAuthenticator
from extauthz.authn.jwt_routes import JwtRoutes
from extauthz.authn.known_tokens import KnownTokens
from extauthz.authn.registered_certificate import RegisteredCertificates
from extauthz.backend_jwt.selection import backend_jwt
from extauthz.cache.cache import FactsStore
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.replay import MemoryReplay
from extauthz.cache.tiered import TieredCache
from extauthz.catalog.catalog import Catalog
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.connections import Calls, IssuerConnections, http_session, uncounted
from extauthz.data_plane.secrets import Secrets
from extauthz.model.check import Decision
from extauthz.oauth2.dpop import ProofRules
from extauthz.oauth2.dpop_nonce import DpopNonces
from extauthz.pipeline import CheckPipeline, Timing
from extauthz.revocation.retention import Retention
from extauthz.telemetry.health import Health
from extauthz.telemetry.stage_times import untimed

CACHE_SECRET = b"a secret of at least 32 bytes, for tests"
API_KEY_SECRET = b"a secret of at least 32 bytes, for API keys"
API_KEY_HASHES = ApiKeyHashes([API_KEY_SECRET])


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """A pipeline, and what a test may turn in it."""

    pipeline: CheckPipeline
    updates: CatalogUpdates
    clock: Clock
    health: Health
    revocations: HeldRevocations

    async def check(self, token: str | None, path: str = "/petstore/v1/pets", **settings: Any) -> Decision:
        """The decision about a request with a bearer token."""
        authorization = None if token is None else f"Bearer {token}"
        return await self.pipeline.decide(request(path, authorization=authorization, **settings))

    async def catalog(self, **sections: Any) -> None:
        """Takes over another catalog."""
        await self.updates.accept(contents(Path(), **sections))


def key_manager_of(server: AuthorizationServer, **settings: Any) -> dict[str, Any]:
    """A catalog entry for a simulated issuer, with JWTs and opaque tokens."""
    introspection = {
        "endpoint": server.introspection_endpoint,
        "authentication": {"basic": {"username": server.client_id, "password": "gateway"}},
    }
    defaults = {"issuer": server.issuer, "jwt": {"jwks_uri": server.jwks_uri}, "introspection": introspection}
    return key_manager(**(defaults | settings))


@asynccontextmanager
async def deciding(
    server: AuthorizationServer,
    *,
    store: FactsStore | None = None,
    hosts: frozenset[str] = frozenset({"127.0.0.1"}),
    own_secrets: Mapping[str, bytes] | None = None,
    endpoint_secrets: Mapping[str, bytes] | None = None,
    certificate: ClientCertificate = peer_certificate,
    address: ClientAddress = peer_address,
    authenticators: Sequence[Authenticator] = (),
    replay: ReplayMemory | None = None,
    nonces: DpopNonces | None = None,
    retention: Retention = RETENTION,
    timing: Timing = untimed,
    calls: Calls = uncounted,
) -> AsyncIterator[Deciding]:
    """A pipeline whose catalog has one API and the simulated issuer.

    `own_secrets` go nowhere; `endpoint_secrets` and that of the `gateway` may go to `hosts`.
    """
    clock, catalog, health = Clock(), Catalog(), Health()
    sent = {"gateway": server.client_secret.encode(), **(endpoint_secrets or {})}
    secrets = Secrets({**sent, **(own_secrets or {})}, dict.fromkeys(sent, hosts))
    async with http_session() as session:
        issuers = Issuers(IssuerConnections(session=session, secrets=secrets, clock=clock, calls=calls), clock)
        updates = CatalogUpdates(catalog, issuers, health)
        facts = FactMaker(ttl_seconds=300, negative_ttl_seconds=30)
        keys = CacheKeys([CACHE_SECRET])
        caches = [TieredCache(_memory(clock)), TieredCache(_memory(clock), store)]
        revocations = HeldRevocations.alone(clock, retention=retention)
        jwt, opaque = (
            KnownTokens(
                cache=cache,
                keys=keys,
                clock=clock,
                revocations=revocations.check,
                refused=_memory(clock),
            )
            for cache in caches
        )
        asked = IntrospectionAuthenticator(catalog=catalog, issuers=issuers, known=opaque, facts=facts)
        tokens = AccessTokens(
            [
                JwtAuthenticator(
                    catalog=catalog,
                    issuers=issuers,
                    known=jwt,
                    routes=JwtRoutes(1000),
                    facts=facts,
                    introspection=asked,
                ),
                asked,
            ],
            keys=keys,
            binding=BindingCheck(
                certificate=certificate,
                dpop=DpopBinding(
                    rules=ProofRules(),
                    replay=replay or MemoryReplay(entries=1000, clock=clock),
                    clock=clock,
                    nonces=nonces,
                ),
            ),
        )
        chain = AuthenticatorChain(
            credentials=Credentials(max_token_bytes=16_384, dpop=True),
            certificates=RegisteredCertificates(certificate, clock),
            tokens=tokens,
            api_keys=ApiKeys(catalog=catalog, hashes=API_KEY_HASHES, address=address, clock=clock),
            extensions=authenticators,
        )
        pipeline = CheckPipeline(catalog, chain, partial(backend_jwt, signer=None), timing=timing)
        world = Deciding(pipeline=pipeline, updates=updates, clock=clock, health=health, revocations=revocations)
        await world.catalog(key_managers=[key_manager_of(server)])
        try:
            yield world
        finally:
            for cache in caches:
                await cache.close()
            await issuers.close()


def _memory(clock: Clock) -> MemoryCache:
    return MemoryCache(entries=1000, negative_entries=100, clock=clock)


def unverified_claims(jwt: str) -> dict[str, Any]:
    """The claims of a JWT, unchecked."""
    payload = jwt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
