"""Builds what operators can ask this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import Route

from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.effective_settings import effective_settings
from extauthz.data_plane.revocation import RevocationParts, revocation_routes
from extauthz.data_plane.secrets import Secrets
from extauthz.model.clock import Clock
from extauthz.operations.app import operations_app
from extauthz.operations.credentials import BearerSecret
from extauthz.operations.documents import document_route
from extauthz.operations.held_catalog import CatalogDocument, entity_counts
from extauthz.operations.metrics import metrics_route
from extauthz.operations.server import OperationsServer
from extauthz.settings.process import Settings
from extauthz.telemetry.exposition import Exposition
from extauthz.telemetry.health import Health
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.readings import HealthReadings, Reading, single


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is told about."""

    health: Health
    metrics: Metrics
    updates: CatalogUpdates
    revocation: RevocationParts
    log_lines_dropped: Callable[[], int]
    """How many lines of the log found no room."""


def operations_server(
    settings: Settings, secrets: Secrets, observed: Observed, keys: Sequence[SigningKey], clock: Clock
) -> OperationsServer:
    """The server, not started yet; `keys` are those of the backend JWT.

    Raises:
        DocumentError: `operations.token` is too short.
    """
    jwks = jwk_set(keys) if keys else None
    app = operations_app(
        health=observed.health,
        jwks=(lambda: jwks) if jwks else None,
        jwks_max_age_seconds=settings.backend_jwt.jwks_max_age_seconds if settings.backend_jwt else 0,
        more=[
            metrics_route(Exposition(observed.metrics, _readings(observed)).page),
            *revocation_routes(settings, secrets, observed.revocation.revoker, clock),
            *_documents(settings, secrets, observed),
        ],
    )
    host, _, port = settings.operations.listen.rpartition(":")
    return OperationsServer(app, host=host.strip("[]"), port=int(port))


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
    updates, revoked = observed.updates, observed.revocation.revoked
    return [
        *HealthReadings(observed.health).readings(),
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
        single("extauthz_revocations", "Revocations that are held.", lambda: len(revoked)),
        single(
            "extauthz_log_lines_dropped_total",
            "Lines of the log that were never written, since nobody read fast enough.",
            observed.log_lines_dropped,
            rises=True,
        ),
    ]
