"""`extauthz serve --workers 2` as operators run it."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import grpc
from support.authorization_server import AuthorizationServer
from support.check_client import CheckResponse, check_request, connected
from support.metrics_page import samples
from support.service import Service, serve_program, write_files

from extauthz.cli.demo.processes import Processes, Program, Ready
from extauthz.cli.demo.programs import answers_ok, free_port

WORKERS = ("1", "2")


def program_with_workers(folder: Path, server: AuthorizationServer, ready: Ready) -> Program:
    """The command line."""
    program = serve_program(folder, server, ready)
    return replace(program, argv=(*program.argv, "--workers", str(len(WORKERS))))


def in_temporary_folder(folder: str) -> dict[str, str]:
    """Without a service manager that has a folder for them."""
    return {"TMPDIR": folder, "RUNTIME_DIRECTORY": ""}


@asynccontextmanager
async def running_workers(
    folder: Path,
    server: AuthorizationServer,
    *,
    settings: dict[str, Any] | None = None,
    operations: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    in_folder: Callable[[str], dict[str, str]] = in_temporary_folder,
) -> AsyncIterator[Service]:
    """Two workers and their supervisor, which is the process of the service.

    `in_folder` gives the variables by which they keep what they share in a folder.
    """
    port, operations_port = free_port(), free_port()
    addresses = {
        "listen": f"127.0.0.1:{port}",
        "operations": {"listen": f"127.0.0.1:{operations_port}"} | (operations or {}),
    }
    write_files(folder, server, addresses | (settings or {}), catalog or {})
    ready = answers_ok(f"http://127.0.0.1:{operations_port}/readyz")
    program = program_with_workers(folder, server, ready)
    # A supervisor that is killed leaves its sockets behind; the paths of sockets must be short.
    with tempfile.TemporaryDirectory() as temporary:
        program = replace(program, environment={**program.environment, **in_folder(temporary)})
        async with Processes(folder) as processes:
            supervisor = await processes.start(program)
            yield Service(
                folder=folder, processes=processes, port=port, operations_port=operations_port, process_id=supervisor
            )


def events(service: Service, name: str) -> list[dict[str, Any]]:
    """What was logged under a name."""
    whole, _, _ = service.logged().rpartition("\n")
    lines = (line for line in whole.splitlines() if line.startswith("{"))
    return [event for event in map(json.loads, lines) if event["event"] == name]


def process_ids(service: Service) -> dict[str, int]:
    """Of the workers, as they were started last."""
    return {str(event["worker"]): event["process_id"] for event in events(service, "worker_started")}


async def metrics(service: Service) -> dict[Any, float]:
    """All samples, as `metrics_page.samples` has them."""
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{service.operations_port}/metrics"
        async with session.get(url) as response:
            return samples(await response.text())


async def checks(service: Service) -> dict[str, float]:
    """How many each worker has answered."""
    counted = dict.fromkeys(WORKERS, 0.0)
    for (name, *labels), value in (await metrics(service)).items():
        if name == "extauthz_checks_total":
            counted[dict(labels)["worker"]] += value
    return counted


class Asks(Protocol):
    """A client on a connection of its own."""

    async def check(self, request: Any, /) -> CheckResponse:
        """The answer to a Check."""
        ...


class PatientClient:
    """One that waits for its answers on a connection that is told to go (GOAWAY), as Envoy does."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._call: Any = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")

    async def check(self, request: Any, /) -> CheckResponse:
        """See `Asks`."""
        return CheckResponse.parse(await self._call(bytes(request)))


@asynccontextmanager
async def patiently_connected(port: int) -> AsyncIterator[Asks]:
    """A `PatientClient`."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield PatientClient(channel)


@asynccontextmanager
async def one_connection_to_each(
    service: Service, connect: Callable[[int], AbstractAsyncContextManager[Asks]] = connected
) -> AsyncIterator[dict[str, Asks]]:
    """Connects again and again, since the kernel chooses; by the number of the worker."""
    found: dict[str, Asks] = {}
    async with AsyncExitStack() as stack:
        while len(found) < len(WORKERS):
            before = await checks(service)
            stub = await stack.enter_async_context(connect(service.port))
            await stub.check(check_request())
            after = await checks(service)
            (worker,) = [number for number in WORKERS if after[number] > before[number]]
            found.setdefault(worker, stub)
        yield found
