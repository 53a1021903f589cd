"""Builds what knows, makes and follows revocations."""

import asyncio
import secrets as randomness
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from starlette.routing import Route

from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.redis_options import redis_options
from extauthz.data_plane.secrets import Secrets
from extauthz.document.mistakes import DocumentError, Location, Mistake
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.operations.credentials import BasicCredentials, BearerSecret
from extauthz.operations.notification import NotificationSource
from extauthz.operations.revocations import RevocationEndpoints
from extauthz.redis_client.eviction import evicts
from extauthz.revocation.check import RevocationCheck
from extauthz.revocation.follower import Follower
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.redis import RedisChannel
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation_list import RevocationList
from extauthz.revocation.revoker import OneProcess, Revoker
from extauthz.settings.process import Settings
from extauthz.settings.revocation import RevocationBackend, RevocationSettings, UnboundedTokens
from extauthz.telemetry.health import Health

_log = structlog.get_logger(__name__)
_MIN_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationParts:
    """What a process does about revocations."""

    check: RevocationCheck
    revoker: Revoker
    follow: Callable[[], Coroutine[Any, Any, None]]
    """Runs until it is cancelled; before the past is known to it, `check` refuses."""
    revoked: RevocationList
    """What is held."""


async def revocation_parts(
    settings: Settings,
    secrets: Secrets,
    folder: Path,
    *,
    lasting: Lasting,
    health: Health,
    stack: AsyncExitStack,
) -> RevocationParts:
    """What the settings ask for.

    Raises:
        DocumentError: a secret is of no use, or Redis may throw revocations away.
    """
    clock = lasting.clock
    keys, revoked = revocation_keys(settings.revocation, secrets), RevocationList(clock)
    retention = _retention(settings)
    channel = redis_channel(settings.revocation, secrets, folder, keys)
    if channel is None:
        # Nobody else needs to understand the keys, so a new secret is no reason to forget.
        keys, revoked = lasting.revocations.keys, lasting.revocations.revoked
    check = RevocationCheck(keys=keys, revoked=revoked, retention=retention, clock=clock)
    if channel is None:
        health.report("revocations", ok=True, detail="memory")
        health.report("revocation_channel", ok=True, detail="memory")
        revoker = Revoker(keys=keys, revoked=revoked, retention=retention, channel=OneProcess(), clock=clock)
        return RevocationParts(check=check, revoker=revoker, follow=_nothing_to_follow, revoked=revoked)
    stack.push_async_callback(channel.close)
    await _ensure_kept(channel)

    def report(*, known: bool, following: bool, detail: str) -> None:
        health.report("revocations", ok=known, detail="redis" if known else detail)
        health.report("revocation_channel", ok=following, detail=detail)

    follower = Follower(store=channel, revoked=revoked, report=report)
    revoker = Revoker(keys=keys, revoked=revoked, retention=retention, channel=channel, clock=clock)
    return RevocationParts(check=check, revoker=revoker, follow=follower.run, revoked=revoked)


def revoker_of(settings: Settings, secrets: Secrets, channel: RedisChannel, clock: Clock) -> Revoker:
    """For a process that revokes and leaves."""
    return Revoker(
        keys=revocation_keys(settings.revocation, secrets),
        revoked=RevocationList(clock),
        retention=_retention(settings),
        channel=channel,
        clock=clock,
    )


def revocation_keys(settings: RevocationSettings, secrets: Secrets) -> RevocationKeys:
    """The keys; alone in memory, nobody else needs to understand them.

    Raises:
        DocumentError: a secret is too short.
    """
    values = [secrets.value(name) for name in settings.secret] or [randomness.token_bytes(32)]
    try:
        return RevocationKeys(values)
    except ValueError as error:
        raise _mistake(("revocation", "secret"), str(error)) from error


def redis_channel(
    settings: RevocationSettings, secrets: Secrets, folder: Path, keys: RevocationKeys
) -> RedisChannel | None:
    """The channel; None with memory.

    Raises:
        DocumentError: see `redis_options`.
    """
    redis = settings.redis
    if settings.backend is RevocationBackend.MEMORY or redis is None:
        return None
    options = redis_options(redis, secrets, folder, section="revocation")
    return RedisChannel(keys=keys, options=options)


def revocation_routes(settings: Settings, secrets: Secrets, revoker: Revoker, clock: Clock) -> list[Route]:
    """Where revocations can be posted; none without credentials to ask for.

    Raises:
        DocumentError: the token is too short.
    """
    token, notifications = settings.operations.token, settings.revocation.notifications
    if token and len(secrets.value(token)) < _MIN_TOKEN_BYTES:
        raise _mistake(("operations", "token"), f"the secret must have {_MIN_TOKEN_BYTES} bytes at least")
    source = basic = None
    if notifications:
        source = NotificationSource(organization=notifications.organization, key_manager=notifications.key_manager)
        if notifications.username and notifications.password:
            basic = BasicCredentials(notifications.username, secrets.value(notifications.password))
    endpoints = RevocationEndpoints(revoker.revoke, source=source, clock=clock)
    return endpoints.routes(operator=BearerSecret(secrets.value(token)) if token else None, notifier=basic)


def _retention(settings: Settings) -> Retention:
    revocation, notifications = settings.revocation, settings.revocation.notifications
    return Retention(
        seconds=revocation.retention_seconds,
        introspect=revocation.unbounded_tokens is UnboundedTokens.INTROSPECT,
        binding=revocation.backend is RevocationBackend.REDIS
        or settings.operations.token is not None
        or (notifications is not None and notifications.username is not None),
    )


async def _nothing_to_follow() -> None:
    await asyncio.Event().wait()


async def _ensure_kept(channel: RedisChannel) -> None:
    try:
        policy = await channel.eviction_policy()
    except Unavailable:
        return  # the follower asks again before it takes anything as known
    if evicts(policy):
        message = f"its maxmemory-policy is {policy}, so it throws revocations away when its memory is full"
        raise _mistake(("revocation", "redis"), message, "use noeviction or a volatile policy, or another server")
    if policy is None:
        _log.warning("eviction_policy_unknown", component="revocations", hint="it must not be one of allkeys-*")


def _mistake(location: Location, message: str, hint: str = "") -> DocumentError:
    return DocumentError("settings", [Mistake(location=location, message=message, hint=hint)])
