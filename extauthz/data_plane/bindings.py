"""Builds what tells whether a token is presented by the one it is bound to."""

from contextlib import AsyncExitStack
from pathlib import Path

from extauthz.authn.binding import BindingCheck
from extauthz.authn.client_certificate import ClientCertificate, forwarded_certificate, peer_certificate
from extauthz.authn.dpop_binding import DpopBinding
from extauthz.cache.redis_connection import RedisConnection
from extauthz.cache.replay import RedisReplay
from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.shadow import SHADOW_COMPONENT
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.oauth2.dpop import ProofRules
from extauthz.oauth2.dpop_nonce import DpopNonces
from extauthz.redis_client.options import RedisOptions
from extauthz.settings.binding import DpopSettings
from extauthz.settings.process import Settings
from extauthz.telemetry.health import DISPENSABLE, Health

REPLAY_COMPONENT = "dpop replay memory"
"""Without it, requests with a DPoP proof are refused with 503, and all others answered."""

_CERTIFICATES: dict[str, ClientCertificate] = {
    "peer": peer_certificate,
    "x-forwarded-client-cert": forwarded_certificate,
}


def health_of(settings: Settings) -> Health:
    """The components that these settings make."""
    return Health(dispensable=DISPENSABLE | {SHADOW_COMPONENT} | ({REPLAY_COMPONENT} if settings.dpop else set()))


def client_certificate(settings: Settings) -> ClientCertificate:
    """Who says which certificate the client showed."""
    return _CERTIFICATES[settings.client_certificate.source]


def binding_check(
    settings: Settings,
    secrets: Secrets,
    folder: Path,
    *,
    lasting: Lasting,
    health: Health,
    stack: AsyncExitStack,
) -> BindingCheck:
    """The check as the settings want it.

    Raises:
        DocumentError: a secret that is of no use for its purpose.
    """
    certificate = client_certificate(settings)
    if settings.dpop is None:
        return BindingCheck(certificate=certificate, dpop=None)
    redis = settings.cache.redis
    options = redis_options(redis, secrets, folder, section="cache") if redis else None
    replay = _redis_replay(options, health, stack) if options else None
    if replay is None:
        health.report(REPLAY_COMPONENT, ok=True, detail="memory")
    dpop = DpopBinding(
        rules=_rules(settings.dpop),
        replay=replay or lasting.replay,
        clock=lasting.clock,
        scheme=settings.dpop.scheme,
        nonces=_nonces(settings.dpop, secrets),
    )
    return BindingCheck(certificate=certificate, dpop=dpop)


def _rules(dpop: DpopSettings) -> ProofRules:
    return ProofRules(
        algorithms=dpop.algorithms,
        max_age_seconds=dpop.max_age_seconds,
        future_skew_seconds=dpop.future_skew_seconds,
    )


def _nonces(dpop: DpopSettings, secrets: Secrets) -> DpopNonces | None:
    if not dpop.nonce_secret:
        return None
    try:
        values = [secrets.value(name) for name in dpop.nonce_secret]
        return DpopNonces(values, lifetime_seconds=dpop.nonce_seconds)
    except ValueError as error:
        raise DocumentError("settings", [Mistake(location=("dpop", "nonce_secret"), message=str(error))]) from error


def _redis_replay(options: RedisOptions, health: Health, stack: AsyncExitStack) -> RedisReplay:
    def report(*, reachable: bool) -> None:
        health.report(REPLAY_COMPONENT, ok=reachable, detail="redis" if reachable else "redis does not answer")

    connection = RedisConnection(options, component="replay memory", health=report)
    stack.push_async_callback(connection.close)
    return RedisReplay(connection, prefix=options.prefix)
