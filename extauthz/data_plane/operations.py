"""Builds what operators can ask this process."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.routing import Route
from starlette.types import ASGIApp

from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.effective_settings import effective_settings
from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.revocation import RevocationParts, revocation_routes
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.shadow import ShadowWatch
from extauthz.model.clock import Clock
from extauthz.operations.app import operations_app
from extauthz.operations.credentials import BearerSecret
from extauthz.operations.documents import document_route
from extauthz.operations.held_catalog import CatalogDocument, entity_counts
from extauthz.operations.metrics import metrics_route
from extauthz.settings.process import Settings
from extauthz.telemetry.exposition import Exposition
from extauthz.telemetry.readings import Reading, single


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is told about."""

    lasting: Lasting
    updates: CatalogUpdates
    revocation: RevocationParts
    shadow: ShadowWatch


def operations_pages(
    settings: Settings, secrets: Secrets, observed: Observed, keys: Sequence[SigningKey], clock: Clock
) -> ASGIApp:
    """All pages; `keys` are those of the backend JWT.

    Raises:
        DocumentError: `operations.token` is too short.
    """
    jwks = jwk_set(keys) if keys else None
    return operations_app(
        health=observed.lasting.health,
        jwks=(lambda: jwks) if jwks else None,
        jwks_max_age_seconds=settings.backend_jwt.jwks_max_age_seconds if settings.backend_jwt else 0,
        more=[
            metrics_route(Exposition(observed.lasting.metrics, _readings(observed)).page),
            *revocation_routes(settings, secrets, observed.revocation.revoker, clock),
            *_documents(settings, secrets, observed),
        ],
    )


def _documents(settings: Settings, secrets: Secrets, observed: Observed) -> list[Route]:
    """Not there without a token to ask for."""
    if settings.operations.token is None:
        return []
    credentials = BearerSecret(secrets.value(settings.operations.token))
    config = effective_settings(settings)
    return [
        document_route("/config", lambda _query: config, credentials),
        document_route("/catalog", CatalogDocument(observed.updates), credentials),
    ]


def _readings(observed: Observed) -> list[Reading]:
    lasting, updates, revoked = observed.lasting, observed.updates, observed.revocation.revoked
    return [
        *lasting.components.readings(),
        *observed.shadow.readings(),
        single(
            "extauthz_catalog_revision",
            "Revision of the catalog that is held; absent with a file.",
            lambda: updates.revision,
        ),
        single(
            "extauthz_catalog_changed_timestamp_seconds",
            "When the catalog that is held came or changed; absent before the first.",
            lambda: updates.changed_at,
        ),
        Reading(
            name="extauthz_catalog_entities",
            documentation="What the catalog that is held has.",
            labels=("kind",),
            read=lambda: (
                {(kind,): count for kind, count in entity_counts(updates.held).items()} if updates.held else {}
            ),
        ),
        Reading(
            name="extauthz_cache_lookups_total",
            documentation="Questions to the caches of tokens.",
            labels=("cache", "level", "result"),
            read=lasting.lookups.counts,
            rises=True,
        ),
        single("extauthz_revocations", "Revocations that are held.", lambda: len(revoked)),
        single(
            "extauthz_log_lines_dropped_total",
            "Lines of the log that were never written, since nobody read fast enough.",
            lasting.log_lines_dropped,
            rises=True,
        ),
        Reading(
            name="extauthz_settings_reloads_total",
            documentation="Times that changed settings were read, by what became of them.",
            labels=("result",),
            read=lambda: {(result,): count for result, count in lasting.reloads.items()},
            rises=True,
        ),
    ]
