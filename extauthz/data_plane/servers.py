"""Builds the servers: they stay when settings are read again."""

import time
from pathlib import Path

from starlette.types import ASGIApp

from extauthz.data_plane.server_settings import server_options, server_tls
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.http_check.server import HttpCheckServer
from extauthz.model.clock import Clock
from extauthz.operations.server import OperationsServer
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


def envoy_server(
    settings: Settings, servicer: AuthorizationServicer, health: Health, folder: Path, clock: Clock = time.time
) -> EnvoyServer:
    """The server for Envoy, not started yet; files of `tls` are relative to `folder`.

    Raises:
        DocumentError: they cannot be used.
    """
    return EnvoyServer(
        address=settings.listen,
        servicer=servicer,
        health=health,
        options=server_options(settings.grpc),
        tls=server_tls(settings.tls, health, folder, clock) if settings.tls is not None else None,
    )


def operations_server(settings: Settings, app: ASGIApp) -> OperationsServer:
    """The server for operators, not started yet."""
    host, _, port = settings.operations.listen.rpartition(":")
    return OperationsServer(app, host=host.strip("[]"), port=int(port))


def http_check_server(settings: Settings, servicer: AuthorizationServicer) -> HttpCheckServer | None:
    """The server for a proxy that asks by HTTP, not started yet; None: the settings have none."""
    http = settings.http_check
    if http is None:
        return None
    return HttpCheckServer(servicer.Check, listen=http.listen, path_prefix=http.path_prefix, proxy=http.proxy)
