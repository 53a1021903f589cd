"""Processes that answer Checks, each on the core that serves."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import grpc

from benchmarks.cores import LOAD, SERVER, on_core
from benchmarks.files import environment, write_files
from benchmarks.h2load import CHECK_PATH, Load, checks
from benchmarks.issuer import Issuer
from benchmarks.requests import is_allowed
from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import accepts_connections, answers_ok, free_port

SERVE = ("extauthz", "serve")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A process with a port for Checks."""

    port: int
    process_id: int
    start_seconds: float = 0.0
    """From its start until it was ready."""

    async def answer(self, request: bytes) -> bytes:
        """To one Check, which is allowed.

        Raises:
            RuntimeError: it is refused.
        """
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CHECK_PATH)
            response = await call(request, timeout=10)
        if not is_allowed(response):
            raise RuntimeError("the Check is refused")
        return response

    async def load(self, request: bytes, **how: int) -> Load:
        """h2load with a Check that was allowed before, and is afterwards."""
        await self.answer(request)
        load = await checks(self.port, request, **how)
        await self.answer(request)
        return load

    def processor_seconds(self) -> float:
        """What it has used so far."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """Its memory now."""
        pages = Path(f"/proc/{self.process_id}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def running_extauthz(
    folder: Path,
    issuer: Issuer,
    settings: Mapping[str, Any] | None = None,
    *,
    apis: int = 1,
    core: int | str = SERVER,
    command: Sequence[str] = SERVE,
) -> AsyncIterator[Served]:
    """`extauthz serve`, ready; `command` is a module of Python and what follows it, but for the settings."""
    port, operations = free_port(), free_port()
    addresses = {"listen": f"127.0.0.1:{port}", "operations": {"listen": f"127.0.0.1:{operations}"}}
    path = write_files(folder, issuer, {**addresses, **(settings or {})}, apis=apis)
    argv = on_core(core, sys.executable, "-m", *command, "--config", str(path))
    ready = answers_ok(f"http://127.0.0.1:{operations}/readyz")
    program = Program(name="extauthz", argv=argv, ready=ready, environment=environment(issuer))
    async with Processes(folder, start_seconds=180.0) as processes:
        start = perf_counter()
        process_id = await processes.start(program)
        yield Served(port=port, process_id=process_id, start_seconds=perf_counter() - start)


@asynccontextmanager
async def running_empty(folder: Path, response: bytes, *, reads: bool = False) -> AsyncIterator[Served]:
    """The same server with a handler that does nothing but return these bytes; or reads the request before."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing is measured yet
    port, file = free_port(), folder / "response"
    file.write_bytes(response)
    how = ("--reads",) if reads else ()
    argv = on_core(SERVER, sys.executable, "-m", "benchmarks.empty", str(port), str(file), *how)
    async with Processes(folder) as processes:
        process_id = await processes.start(Program(name="empty", argv=argv, ready=accepts_connections(port)))
        yield Served(port=port, process_id=process_id)


async def replayed(
    served: Served, folder: Path, *, count: int, distinct: int = 1, body: bytes | None = None, per_second: int = 0
) -> Load:
    """Checks by our replayer, from the core of the load; `per_second` 0: as fast as answers come.

    Raises:
        RuntimeError: not every Check was allowed.
    """
    chosen: tuple[str, ...] = ()
    if body is not None:
        (folder / "body").write_bytes(body)
        chosen = ("--body", str(folder / "body"))
    how = ("--count", str(count), "--distinct", str(distinct), "--per-second", str(per_second), *chosen)
    argv = on_core(LOAD, sys.executable, "-m", "benchmarks.replayer", str(served.port), *how)
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the replayer failed")
    told = json.loads(printed)
    return Load(per_second=told["per_second"], milliseconds=tuple(told["milliseconds"]))
