"""Builds the data plane from its settings; everything that is opened goes onto one exit stack."""

import functools
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from extauthz.authn.issuers import Issuers
from extauthz.backend_jwt.selection import backend_jwt
from extauthz.catalog.catalog import Catalog
from extauthz.data_plane.authentication import access_tokens, token_caches
from extauthz.data_plane.bindings import binding_check, health_of
from extauthz.data_plane.callers import authenticators
from extauthz.data_plane.catalog_source import FollowCatalog, catalog_source
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.extensions import extensions
from extauthz.data_plane.operations import Observed, operations_server
from extauthz.data_plane.revocation import RevocationParts, revocation_parts
from extauthz.data_plane.secrets import read_secrets
from extauthz.data_plane.signing_keys import signing_keys
from extauthz.data_plane.upstream import known_users, responses, signer, upstream_headers
from extauthz.envoy.response import ResponseBuilder
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import AuthorizationServicer, Decider
from extauthz.model.clock import Clock
from extauthz.operations.server import OperationsServer
from extauthz.pipeline import CheckPipeline
from extauthz.settings.process import Settings
from extauthz.telemetry.decisions import Decisions
from extauthz.telemetry.health import Health
from extauthz.telemetry.logs import DecisionLog
from extauthz.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """The parts that the running process starts and stops."""

    health: Health
    metrics: Metrics
    decider: Decider
    responses: ResponseBuilder
    server: EnvoyServer
    operations: OperationsServer
    follow_catalog: FollowCatalog
    revocation: RevocationParts


async def build(
    settings: Settings,
    folder: Path,
    stack: AsyncExitStack,
    *,
    clock: Clock = time.time,
    log_lines_dropped: Callable[[], int] = lambda: 0,
) -> DataPlane:
    """Puts everything together; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: a secret is missing or of no use for its purpose.
    """
    secrets = read_secrets(settings.secrets, folder, os.environ)
    health, catalog = health_of(settings), Catalog()
    metrics = Metrics(apis=settings.metrics.apis, key_managers=settings.metrics.key_managers)
    session = await stack.enter_async_context(http_session())
    # In a file, names of files have its folder in front of them already; what all replicas share knows no folder.
    files = folder if settings.catalog.redis else Path()
    issuers = Issuers(IssuerConnections(session=session, secrets=secrets, clock=clock, folder=files), clock)
    stack.push_async_callback(issuers.close)
    binding = binding_check(settings, secrets, folder, health=health, stack=stack, clock=clock)
    keys, users = signing_keys(settings.backend_jwt, secrets, folder), known_users(settings, issuers, stack, clock)
    revocation = await revocation_parts(settings, secrets, folder, health, stack, clock)
    caches = token_caches(settings.cache, secrets, folder, health, stack, clock)
    added = extensions(settings.extensions, stack)
    sources = [source.claims for source in added.claim_sources]
    tokens = access_tokens(settings, catalog, issuers, caches, binding, revocation.check)
    pipeline = CheckPipeline(
        catalog,
        authenticators(settings, secrets, catalog, tokens, added.authenticators, clock),
        functools.partial(backend_jwt, signer=signer(settings, keys, users, stack, clock, claim_sources=sources)),
        extensions=added.authorizers,
        upstream_headers=upstream_headers(settings),
    )
    updates, made = CatalogUpdates(catalog, issuers, health, clock), responses(settings)
    servicer = _servicer(settings, pipeline, made, metrics)
    seen = Observed(
        health=health, metrics=metrics, updates=updates, revocation=revocation, log_lines_dropped=log_lines_dropped
    )
    return DataPlane(
        health=health,
        metrics=metrics,
        decider=pipeline,
        responses=made,
        server=EnvoyServer(address=settings.listen, servicer=servicer, health=health),
        operations=operations_server(settings, secrets, seen, keys, clock),
        follow_catalog=catalog_source(settings.catalog, secrets, folder, stack, updates),
        revocation=revocation,
    )


def _servicer(settings: Settings, decider: Decider, made: ResponseBuilder, metrics: Metrics) -> AuthorizationServicer:
    allowed = settings.logs.allowed
    log = DecisionLog(first_per_second=allowed.first_per_second, then_one_in=allowed.then_one_in)
    return AuthorizationServicer(
        decider=decider,
        responses=made,
        budget_seconds=settings.limits.check_seconds,
        on_decision=Decisions(metrics.decision, log),
    )
