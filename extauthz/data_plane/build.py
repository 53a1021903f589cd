"""Builds a data plane from settings; everything that is opened goes onto one exit stack."""

import functools
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from extauthz.authn.issuers import Issuers
from extauthz.backend_jwt.selection import backend_jwt
from extauthz.catalog.catalog import Catalog
from extauthz.data_plane.authentication import CacheMemory, access_tokens, cache_memory, token_caches
from extauthz.data_plane.bindings import binding_check, health_of
from extauthz.data_plane.callers import authenticators
from extauthz.data_plane.catalog_source import FollowCatalog, catalog_source
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.extensions import extensions
from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.observers import Observers, observers
from extauthz.data_plane.operations import Observed, operations_pages
from extauthz.data_plane.revocation import RevocationParts, revocation_parts
from extauthz.data_plane.secrets import read_secrets
from extauthz.data_plane.shadow import ShadowWatch
from extauthz.data_plane.signing_keys import signing_keys
from extauthz.data_plane.upstream import known_users, responses, signer, upstream_headers
from extauthz.envoy.servicer import Answering, AuthorizationServicer, Decider
from extauthz.model.clock import Clock
from extauthz.pipeline import CheckPipeline
from extauthz.settings.process import Settings
from extauthz.shadow import Shadow
from extauthz.telemetry.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """All that follows from one reading of the settings."""

    settings: Settings
    health: Health
    servicer: AuthorizationServicer
    operations: ASGIApp
    """The pages for operators."""
    updates: CatalogUpdates
    follow_catalog: FollowCatalog
    revocation: RevocationParts
    shadow: ShadowWatch
    memory: CacheMemory


async def build(
    settings: Settings,
    folder: Path,
    stack: AsyncExitStack,
    *,
    clock: Clock = time.time,
    lasting: Lasting | None = None,
    former: CacheMemory | None = None,
) -> DataPlane:
    """Puts everything together; files that the settings name are relative to `folder`.

    `former` is of the data plane that this one is to follow: with the same settings of the cache, it goes on.

    Raises:
        DocumentError: a secret is missing or of no use for its purpose.
    """
    secrets = read_secrets(settings.secrets, folder, os.environ)
    health, catalog = health_of(settings), Catalog()
    lasting = lasting or Lasting.of(settings, clock)
    clock = lasting.clock
    told = observers(settings, secrets, lasting.metrics, stack)
    session = await stack.enter_async_context(http_session())
    # In a file, names of files have its folder in front of them already; what all replicas share knows no folder.
    files = folder if settings.catalog.redis else Path()
    connections = IssuerConnections(session=session, secrets=secrets, clock=clock, folder=files, calls=told.calls)
    issuers = Issuers(connections, clock)
    stack.push_async_callback(issuers.close)
    binding = binding_check(settings, secrets, folder, lasting=lasting, health=health, stack=stack)
    keys, users = signing_keys(settings.backend_jwt, secrets, folder), known_users(settings, issuers, stack, clock)
    revocation = await revocation_parts(settings, secrets, folder, lasting=lasting, health=health, stack=stack)
    memory = cache_memory(settings.cache, secrets, clock, former)
    caches = token_caches(memory, secrets, folder, health, stack, lasting.lookups)
    added = extensions(settings.extensions, stack)
    sources = [source.claims for source in added.claim_sources]
    tokens = access_tokens(settings, catalog, issuers, caches, binding, revocation.check)
    pipeline = CheckPipeline(
        catalog,
        authenticators(settings, secrets, catalog, tokens, added.authenticators, clock),
        functools.partial(backend_jwt, signer=signer(settings, keys, users, stack, clock, claim_sources=sources)),
        extensions=added.authorizers,
        upstream_headers=upstream_headers(settings),
        timing=told.timing,
    )
    updates = CatalogUpdates(catalog, issuers, health, clock)
    shadow = ShadowWatch(updates, health, everywhere=settings.shadow)
    seen = Observed(lasting=lasting, updates=updates, revocation=revocation, shadow=shadow)
    return DataPlane(
        settings=settings,
        health=health,
        servicer=_servicer(settings, pipeline, told, Shadow(catalog, everywhere=settings.shadow)),
        operations=operations_pages(settings, secrets, seen, keys, clock),
        updates=updates,
        follow_catalog=catalog_source(settings.catalog, secrets, folder, stack, updates),
        revocation=revocation,
        shadow=shadow,
        memory=memory,
    )


def _servicer(settings: Settings, decider: Decider, told: Observers, shadow: Shadow) -> AuthorizationServicer:
    return AuthorizationServicer(
        Answering(
            decider=decider,
            responses=responses(settings),
            budget_seconds=settings.limits.check_seconds,
            on_decision=told.on_decision,
            on_call=told.on_call,
            shadow=shadow,
        )
    )
