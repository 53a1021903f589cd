"""Whether `serve` would start with some settings: everything is built that it builds, and nobody is asked."""

import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from extauthz.authn.issuers import Introspector, Issuers, PublishedKeys, Userinfo
from extauthz.data_plane.build import build
from extauthz.data_plane.connections import IssuerConnections, http_session
from extauthz.data_plane.revocation import redis_channel, revocation_keys
from extauthz.data_plane.secrets import Secrets, read_secrets
from extauthz.data_plane.server_settings import server_tls
from extauthz.data_plane.servers import http_check_server, operations_server
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.model.key_manager import KeyManager
from extauthz.oauth2.jwe import JweDecrypter
from extauthz.oauth2.signed_introspection import KeyLookup
from extauthz.settings.process import Settings
from extauthz.settings.revocation import RevocationBackend
from extauthz.telemetry.health import Health


async def problems(settings: Settings, folder: Path, key_managers: Iterable[KeyManager]) -> list[DocumentError]:
    """What `serve` would refuse in the files and secrets that the settings and these key managers name.

    Files are relative to `folder`. Neither a port is opened nor anybody asked: what only Redis or a key manager can
    say is not said.
    """
    found = list[DocumentError]()
    try:
        secrets = read_secrets(settings.secrets, folder, os.environ)
        async with AsyncExitStack() as stack:
            await _build(settings, secrets, folder, stack)
    except DocumentError as error:
        found.append(error)
    else:
        if mistakes := [mistake async for mistake in _of_key_managers(settings, secrets, folder, key_managers)]:
            found.append(DocumentError("catalog", mistakes))
    try:
        _certificate(settings, folder)
    except DocumentError as error:
        found.append(error)
    return found


async def _build(settings: Settings, secrets: Secrets, folder: Path, stack: AsyncExitStack) -> None:
    channel = redis_channel(settings.revocation, secrets, folder, revocation_keys(settings.revocation, secrets))
    if channel is not None:
        await channel.close()
    # With its own channel, the plane would ask that Redis how it throws things away.
    alone = settings.revocation.model_copy(update={"backend": RevocationBackend.MEMORY, "redis": None})
    plane = await build(settings.model_copy(update={"revocation": alone}), folder, stack)
    operations_server(settings, plane.operations)
    http_check_server(settings, plane.servicer)


def _certificate(settings: Settings, folder: Path) -> None:
    if settings.tls is not None:
        server_tls(settings.tls, Health(), folder, time.time)


async def _of_key_managers(
    settings: Settings, secrets: Secrets, folder: Path, key_managers: Iterable[KeyManager]
) -> AsyncIterator[Mistake]:
    async with http_session() as session:
        files = folder if settings.catalog.redis else Path()
        ways = IssuerConnections(session=session, secrets=secrets, clock=time.time, folder=files)
        issuers = Issuers(_Unasked(ways=ways), time.time)
        for key_manager in key_managers:
            try:
                # Each by itself, so that all are told. What was prepared is closed by what comes next.
                await issuers.adopt(await issuers.prepare([key_manager]))
            except ValueError as error:
                yield Mistake(location=("key_managers",), message=str(error))
        await issuers.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unasked:
    """Connections to key managers whose metadata are taken for known."""

    ways: IssuerConnections

    async def published_keys(self, key_manager: KeyManager) -> PublishedKeys | None:
        """See `Connections`."""
        jwt = key_manager.jwt
        if jwt is not None and jwt.discovery and not jwt.jwks_uri:
            key_manager = replace(key_manager, jwt=replace(jwt, jwks_uri=key_manager.issuer))
        return await self.ways.published_keys(key_manager)

    def introspector(self, key_manager: KeyManager, keys: KeyLookup) -> Introspector | None:
        """See `Connections`."""
        return self.ways.introspector(key_manager, keys)

    def userinfo(self, key_manager: KeyManager) -> Userinfo | None:
        """See `Connections`."""
        return self.ways.userinfo(key_manager)

    def decryption(self, key_manager: KeyManager) -> JweDecrypter | None:
        """See `Connections`."""
        return self.ways.decryption(key_manager)
