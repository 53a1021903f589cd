"""A real replica with the large catalog: how long it takes to be ready, its memory, and what a reload costs Checks."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import aiohttp
import grpc
import yaml
from support.authorization_server import AuthorizationServer

from benchmarks.catalog.generated import LARGE, path, subscribed
from benchmarks.catalog.redis_catalog import SECRET, catalog_store, have_everything_loaded_again
from benchmarks.figure import Figure, percentile
from benchmarks.requests import check_request, is_allowed
from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_RATE = 50
"""Checks a second."""
_QUIET_SECONDS = 20
_CALLERS = 200
"""Tokens, each of another application and for another API."""
_LOOK_SECONDS = 0.25
_START_SECONDS = 180


async def figures(folder: Path, issuer: AuthorizationServer, valkey_url: str) -> list[Figure]:
    """From the start of the process to the end of a reload."""
    began = perf_counter()
    async with _replica(folder, valkey_url) as replica:
        ready = perf_counter() - began
        requests = [_request(issuer, number) for number in range(_CALLERS)]
        await replica.checks(requests, asyncio.create_task(asyncio.sleep(_CALLERS / _RATE)))  # tokens become known
        quiet = await replica.checks(requests, asyncio.create_task(asyncio.sleep(_QUIET_SECONDS)))
        reloading = asyncio.create_task(replica.reload(valkey_url))
        busy = await replica.checks(requests, reloading)
        seconds, peak = reloading.result(), replica.peak_mebibytes()
    what = f"{len(busy)} Checks at {_RATE}/s during a reload of {seconds:.0f} s"
    floor = percentile(quiet, 99) * 1000
    return [
        Figure(name=f"{LARGE}: start of a replica -> ready, from Redis", value=ready, unit="s", goal=30),
        Figure(name="same replica: peak RSS including a reload", value=peak, unit="MiB", goal=2048),
        Figure(name=f"{what}, p50", value=percentile(busy, 50) * 1000, unit="ms", floor=percentile(quiet, 50) * 1000),
        Figure(name=f"{what}, p99", value=percentile(busy, 99) * 1000, unit="ms", floor=floor, goal=20),
        Figure(name=f"{what}, max", value=max(busy) * 1000, unit="ms", floor=max(quiet) * 1000),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replica:
    process_id: int
    operations: str
    session: aiohttp.ClientSession = field(repr=False)
    call: "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]" = field(repr=False)

    async def checks(self, requests: list[bytes], until: "asyncio.Task[object]") -> list[float]:
        """Seconds of each Check; they are sent when they are due, whether or not those before are answered."""
        seconds: list[float] = []
        due, number = perf_counter(), 0
        async with asyncio.TaskGroup() as group:
            while not until.done():
                group.create_task(self._check(requests[number % len(requests)], seconds))
                due, number = due + 1 / _RATE, number + 1
                await asyncio.sleep(max(0.0, due - perf_counter()))
        return seconds

    async def _check(self, request: bytes, seconds: list[float]) -> None:
        start = perf_counter()
        answer = await self.call(request, timeout=10)
        seconds.append(perf_counter() - start)
        if not is_allowed(answer):
            raise RuntimeError("a good request was refused")

    async def reload(self, valkey_url: str) -> float:
        """Has everything loaded again; how long that took."""
        store = catalog_store(valkey_url)
        revision = await have_everything_loaded_again(store, 1)
        began = perf_counter()
        while await self._source() != f"revision {revision}":  # noqa: ASYNC110 - another process has no event for us
            await asyncio.sleep(_LOOK_SECONDS)
        await store.close()
        return perf_counter() - began

    async def _source(self) -> str:
        async with self.session.get(f"{self.operations}/healthz") as answer:
            return str((await answer.json())["components"]["catalog_source"]["detail"])

    def peak_mebibytes(self) -> float:
        """VmHWM: the most memory that the process ever had."""
        status = Path(f"/proc/{self.process_id}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024


def _request(issuer: AuthorizationServer, caller: int) -> bytes:
    application, place = caller * 491 % LARGE.applications, caller % 10
    number = subscribed(application, place, LARGE)
    token = issuer.issue_jwt(client_id=f"client-{application}", azp=f"client-{application}", scope="orders.read")
    return check_request(token, host=f"host{number % 50}.example.com", path=_path(number))


def _path(number: int) -> str:
    return f"/area{number % 100}/api{number}/v1{path(number, 0)}"


@asynccontextmanager
async def _replica(folder: Path, valkey_url: str) -> AsyncIterator[_Replica]:
    port, operations_port = free_port(), free_port()
    operations = f"http://127.0.0.1:{operations_port}"
    config = folder / "extauthz.yaml"
    config.write_text(yaml.safe_dump(_settings(valkey_url, port, operations_port)), encoding="utf-8")
    argv = (sys.executable, "-m", "extauthz", "serve", "--config", str(config))
    async with contextlib.AsyncExitStack() as stack:
        processes = await stack.enter_async_context(Processes(folder, start_seconds=_START_SECONDS))
        environment = {"BENCH_CATALOG_SECRET": SECRET}
        program = Program(name="replica", argv=argv, ready=answers_ok(f"{operations}/readyz"), environment=environment)
        process_id = await processes.start(program)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield _Replica(
            process_id=process_id,
            operations=operations,
            session=session,
            call=channel.unary_unary(_CHECK),
        )


def _settings(valkey_url: str, port: int, operations_port: int) -> dict[str, object]:
    return {
        "listen": f"127.0.0.1:{port}",
        "operations": {"listen": f"127.0.0.1:{operations_port}"},
        "catalog": {"redis": {"url": valkey_url, "timeout_seconds": 30}, "secret": ["catalog"]},
        "limits": {"drain_seconds": 0},
        "secrets": {"catalog": {"env": "BENCH_CATALOG_SECRET"}},
    }
