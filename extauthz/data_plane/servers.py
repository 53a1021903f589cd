"""Builds the servers: they stay when settings are read again."""

import time
from dataclasses import replace
from pathlib import Path

from starlette.types import ASGIApp

from extauthz.data_plane.server_settings import server_options, server_tls
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.http_check.server import HttpCheckServer
from extauthz.model.clock import Clock
from extauthz.model.host_port import host_and_port
from extauthz.operations.server import OperationsServer
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


def envoy_server(
    settings: Settings,
    servicer: AuthorizationServicer,
    health: Health,
    folder: Path,
    clock: Clock = time.time,
    *,
    shared: bool = False,
) -> EnvoyServer:
    """The server for Envoy, not started yet; files of `tls` are relative to `folder`.

    With `shared`, other processes listen on its port too.

    Raises:
        DocumentError: they cannot be used.
    """
    return EnvoyServer(
        address=settings.listen,
        servicer=servicer,
        health=health,
        options=replace(server_options(settings.grpc), reuse_port=shared),
        tls=server_tls(settings.tls, health, folder, clock) if settings.tls is not None else None,
    )


def operations_server(settings: Settings, app: ASGIApp, *, path: Path | None = None) -> OperationsServer:
    """The server for operators, not started yet; with `path` it is for them by way of a Unix socket."""
    host, port = host_and_port(settings.operations.listen)
    return OperationsServer(app, host=host, port=port, path=path)


def http_check_server(
    settings: Settings, servicer: AuthorizationServicer, *, shared: bool = False
) -> HttpCheckServer | None:
    """The server for a proxy that asks by HTTP, not started yet; None: the settings have none.

    With `shared`, other processes listen on its port too.
    """
    http = settings.http_check
    if http is None:
        return None
    return HttpCheckServer(
        servicer.Check, listen=http.listen, path_prefix=http.path_prefix, proxy=http.proxy, reuse_port=shared
    )
