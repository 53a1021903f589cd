"""`extauthz health`: whether a replica may be sent requests, for probes that run a command."""

import asyncio
import json
import logging
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer

from extauthz.cli import tls_options
from extauthz.cli.errors import EXIT_FAILURE, EXIT_NO_ANSWER, bad_input, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.cli.own_replica import own_tls
from extauthz.document.strict import load
from extauthz.envoy.listen_address import ListenAddress
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE
from extauthz.envoy_client.client import ClientTls, EnvoyClient
from extauthz.model.errors import Unavailable
from extauthz.model.host_port import address_here
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz health --address 127.0.0.1:9191

  extauthz health --config /etc/extauthz/extauthz.yaml --readiness --output json
"""
_SERVING = "SERVING"
_MAX_BYTES = 1024 * 1024
"""Of the page of a replica, which has a line for each component; more is the answer of somebody else."""


def health(  # noqa: PLR0917 - one parameter an option
    address: Annotated[
        str | None, typer.Option("--address", "-a", help="Where it answers Checks: host:port or unix:/path.")
    ] = None,
    operations: Annotated[
        str | None, typer.Option("--operations", help="Where it answers operators, for --readiness: host:port.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings (YAML) of a replica on this machine, which say both."),
    ] = None,
    readiness: Annotated[
        bool, typer.Option("--readiness", help="Ask GET /readyz as well, which tells the state of each component.")
    ] = False,
    output: OutputOption = Output.TEXT,
    timeout: tls_options.Timeout = 2.0,
    ca: tls_options.Authorities = None,
    cert: tls_options.Certificate = None,
    key: tls_options.Key = None,
    server_name: tls_options.ServerName = None,
) -> None:
    """Asks a replica whether it serves: by gRPC's health checking protocol, as Envoy asks, and by GET /readyz.

    With --config and `tls`, its own certificate is trusted if no --ca is given; where `tls.client_ca` wants a client's
    certificate, --cert and --key are needed.

    Exit status 0: it serves; 1: it answers, and does not serve (it starts, or it leaves); 2: an option or the settings
    cannot be used; 3: no answer.
    """
    options = tls_options.TlsOptions(ca=ca, cert=cert, key=key, server_name=server_name)
    with told_plainly(unavailable=EXIT_NO_ANSWER):
        configure_logs(level=logging.WARNING)
        settings = load(config, Settings) if config is not None else None
        address, operations = _places(address, operations, settings, readiness=readiness)
        tls = own_tls(settings, config.parent, options) if settings and config else options.client_tls()
        found = asyncio.run(_asked(address, operations, timeout, tls))
    if output is Output.JSON:
        print_json(found)
    else:
        _print(found)
    if found["grpc"] not in {_SERVING, None} or found["ready"] not in {True, None}:
        raise typer.Exit(EXIT_FAILURE)


def _places(
    address: str | None, operations: str | None, settings: Settings | None, *, readiness: bool
) -> tuple[str | None, str | None]:
    if settings is not None:
        address = address or address_here(settings.listen)
        operations = operations or (address_here(settings.operations.listen) if readiness else None)
    if readiness and operations is None:
        raise bad_input("--readiness needs --operations or --config")
    if address is None and operations is None:
        raise bad_input("give --address, --operations or --config")
    for option, given in (("--address", address), ("--operations", operations)):
        _ensure_address(option, given)
    return address, operations


def _ensure_address(option: str, given: str | None) -> None:
    if given is None:
        return
    try:
        address = ListenAddress.parse(given)
    except ValueError as error:
        raise bad_input(f"{option}: {error}") from error
    if address.socket_path is not None and option == "--operations":
        raise bad_input(f"{option}: not host:port: {given!r}")


async def _asked(address: str | None, operations: str | None, seconds: float, tls: ClientTls | None) -> dict[str, Any]:
    found: dict[str, Any] = {"grpc": None, "ready": None, "components": {}}
    if address is not None:
        found["grpc"] = await _grpc(address, seconds, tls)
    if operations is not None:
        found["ready"], found["components"] = await _ready(operations, seconds)
    return found


async def _grpc(address: str, seconds: float, tls: ClientTls | None) -> str:
    async with EnvoyClient(address, timeout_seconds=seconds, tls=tls) as client:
        return await client.health(AUTHORIZATION_SERVICE)


async def _ready(operations: str, seconds: float) -> tuple[bool, Any]:
    url = f"http://{operations}/readyz"
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as response:
            status, document = response.status, json.loads(await _whole(response.content))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Unavailable("extauthz", f"{url} gives no answer ({type(error).__name__})") from error
    components = document.get("components", {}) if isinstance(document, dict) else {}
    return status == HTTPStatus.OK, components


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """All of it, in however many parts it comes."""
    try:
        await content.readexactly(_MAX_BYTES + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    raise ValueError(f"longer than {_MAX_BYTES} bytes")


def _print(found: dict[str, Any]) -> None:
    if found["grpc"] is not None:
        typer.echo(f"grpc: {found['grpc']}")
    if found["ready"] is not None:
        typer.echo(f"readyz: {'ready' if found['ready'] else 'not ready'}")
    for name, component in sorted(found["components"].items()):
        typer.echo(f"  {name}: {'ok' if component.get('ok') else 'failed'} ({component.get('detail', '')})")
