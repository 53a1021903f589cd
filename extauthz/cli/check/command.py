"""`extauthz check`: what would become of a request, and why."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from extauthz.cli import tls_options
from extauthz.cli.check import report
from extauthz.cli.check.comparison import differences
from extauthz.cli.check.expectations import ExpectationsDocument, sample_requests
from extauthz.cli.check.in_process import in_process
from extauthz.cli.check.request_options import METHOD, PEER_ADDRESS, RequestOptions
from extauthz.cli.check.source import Source, Told, replica
from extauthz.cli.errors import EXIT_FAILURE, EXIT_NO_ANSWER, bad_input, told_plainly
from extauthz.cli.output import Output, OutputOption
from extauthz.cli.progress import working
from extauthz.document.strict import load
from extauthz.envoy.listen_address import ListenAddress
from extauthz.envoy_client.sample_request import SampleRequest
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz check --config extauthz.yaml --url https://api.example.com/petstore/v1/pets --token env:TOKEN --explain

  extauthz check --address 127.0.0.1:9191 --url https://api.example.com/orders --header 'x-api-key: file:key.txt'

  extauthz check --config extauthz.yaml --file expectations.yaml --output json
"""
_Address = Annotated[
    str | None, typer.Option("--address", "-a", help="Ask a running replica: host:port or unix:/path.")
]
_Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Ask what these settings (YAML) make, in this process.")
]
_Url = Annotated[str | None, typer.Option("--url", "-u", help="What the client asks for.")]
_Method = Annotated[str, typer.Option("--method", "-X", help="Of the request.")]
_Header = Annotated[
    list[str] | None,
    typer.Option("--header", "-H", help="`name: value`, again and again; a value may be env:NAME or file:PATH."),
]
_Token = Annotated[
    str | None, typer.Option("--token", help="A bearer token: env:NAME, file:PATH, or - for standard input.")
]
_Certificate = Annotated[
    Path | None, typer.Option("--certificate", help="PEM file: the certificate that the client showed to Envoy.")
]
_PeerAddress = Annotated[str, typer.Option("--peer-address", help="IP address of the client.")]
_Api = Annotated[str | None, typer.Option("--api", help="Id of the API, where the route names it.")]
_File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Requests with what is expected of them (YAML), not --url.")
]
_Explain = Annotated[bool, typer.Option("--explain", help="Tell the decision stage by stage.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How it is asked, and how the answer is told."""

    source: AbstractAsyncContextManager[Source]
    explain: bool
    output: Output


def check(  # noqa: PLR0917 - one parameter an option
    address: _Address = None,
    config: _Config = None,
    url: _Url = None,
    method: _Method = METHOD,
    header: _Header = None,
    token: _Token = None,
    certificate: _Certificate = None,
    peer_address: _PeerAddress = PEER_ADDRESS,
    api: _Api = None,
    file: _File = None,
    explain: _Explain = False,
    output: OutputOption = Output.TEXT,
    timeout: tls_options.Timeout = 10.0,
    ca: tls_options.Authorities = None,
    cert: tls_options.Certificate = None,
    key: tls_options.Key = None,
    server_name: tls_options.ServerName = None,
) -> None:
    """Sends a real Check, as Envoy would, and explains the answer. No token is ever printed.

    A replica tells its answer only; with --config the decision itself is told. With --config, the Redis and the key
    managers of the settings are asked as `serve` asks them; no port is opened.

    Exit status 0: allowed, or with --file all as expected; 1: refused, or not all; 2: an option or a file cannot be
    used; 3: no answer.
    """
    if (url is None) == (file is None):
        raise bad_input("give exactly one of --url and --file")
    tls = tls_options.TlsOptions(ca=ca, cert=cert, key=key, server_name=server_name)
    options = RequestOptions(
        method=method, header=header or [], token=token, certificate=certificate, peer_address=peer_address, api=api
    )
    if file is not None and options.given:
        raise bad_input(f"{', '.join(options.given)}: with --file, the file says that of each request")
    with told_plainly(unavailable=EXIT_NO_ANSWER):
        asking = _Asking(source=_source(address, config, timeout, tls), explain=explain, output=output)
        if file is not None:
            document = load(file, ExpectationsDocument)
            good = asyncio.run(_ask_all(asking, document, sample_requests(document, file)))
        else:
            good = asyncio.run(_ask_one(asking, _request(options, url or "")))
    if not good:
        raise typer.Exit(EXIT_FAILURE)


def _source(
    address: str | None, config: Path | None, timeout: float, tls: tls_options.TlsOptions
) -> AbstractAsyncContextManager[Source]:
    if config is not None and address is None:
        if tls:
            raise bad_input("--ca, --cert, --key and --server-name go with --address: in this process nobody connects")
        settings = load(config, Settings)
        configure_logs(level=logging.ERROR)  # what is not ready is told in the end, once
        return in_process(settings, config.parent, timeout_seconds=timeout)
    if address is None or config is not None:
        raise bad_input("give exactly one of --address (a running replica) and --config (in this process)")
    try:
        ListenAddress.parse(address)
    except ValueError as error:
        raise bad_input(f"--address: {error}") from error
    return replica(address, timeout_seconds=timeout, tls=tls.client_tls())


def _request(options: RequestOptions, url: str) -> SampleRequest:
    try:
        return options.sample_request(url)
    except ValueError as error:
        raise bad_input(str(error)) from error


async def _ask_one(asking: _Asking, request: SampleRequest) -> bool:
    async with asking.source as source:
        told = await source.ask(request)
    show = report.print_answer_json if asking.output is Output.JSON else report.print_answer
    show(request, told, explain=asking.explain)
    return told.answer.allowed


async def _ask_all(asking: _Asking, document: ExpectationsDocument, requests: dict[str, SampleRequest]) -> bool:
    cases = []
    with working(shown=asking.output is Output.TEXT) as work:
        work.begin("waiting for the data plane")
        async with asking.source as source:
            work.begin("checking")
            for case in document.cases:
                told: Told = await source.ask(requests[case.name])
                found = differences(case.expect, told)
                request = requests[case.name]
                cases.append(report.CheckedCase(name=case.name, request=request, told=told, differences=found))
                work.come(len(cases), len(document.cases))
    show = report.print_cases_json if asking.output is Output.JSON else report.print_cases
    show(cases, explain=asking.explain)
    return not any(case.differences for case in cases)
