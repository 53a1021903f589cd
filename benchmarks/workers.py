"""What several processes give: with a port each behind one Envoy, and as workers that share one (`serve --workers`).

They share two cores with Envoy and the load, so that the figures say how work spreads rather than how far it goes. This
Envoy has one worker thread, so it opens one connection to each host; h2load opens as many as it is told to.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from support.envoy import RunningEnvoy, running_envoy

from benchmarks.cores import EVERY, LOAD, use
from benchmarks.envoy.bootstraps import with_ext_authz
from benchmarks.figure import Figure, Runs
from benchmarks.h2load import checks, requests
from benchmarks.issuer import Issuer, running_issuer
from benchmarks.requests import check_request, client_headers
from benchmarks.served import SERVE, Served, running_extauthz
from extauthz.cli.demo.envoy_bootstrap import Bootstrap, cluster

_RUNS = int(os.environ.get("BENCH_RUNS", "5"))
_REQUESTS = int(os.environ.get("BENCH_CHECKS", "4000"))
_PROCESSES = (1, 2, 4)
_WORKERS = (2, 4)
_CONNECTIONS = (2, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrangement:
    """Processes, and the load that is put on them."""

    name: str
    processes: Sequence[Served]
    per_second: Callable[[], Awaitable[float]]
    taken: list[float] = field(default_factory=list)
    evenness: list[float] = field(default_factory=list)
    """Processor time of the least busy process by that of the busiest."""

    async def run(self) -> None:
        """Once."""
        before = [process.processor_seconds() for process in self.processes]
        self.taken.append(await self.per_second())
        used = [p.processor_seconds() - b for p, b in zip(self.processes, before, strict=True)]
        self.evenness.append(min(used) / max(used))


async def figures() -> list[Figure]:
    """One process is the floor of all that Envoy asks."""
    use(LOAD)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        async with running_issuer(Path(name)) as issuer, AsyncExitStack() as stack:
            arrangements = await _arrangements(Path(name), issuer, stack)
            for _ in range(_RUNS):
                for arrangement in arrangements:
                    await arrangement.run()
    floors = tuple(arrangements[0].taken)
    measured = [
        Runs(values=tuple(each.taken), floors=floors if "Envoy" in each.name and each is not arrangements[0] else ())
        for each in arrangements
    ]
    spread = [each for each in arrangements if len(each.processes) > 1]
    return [
        *(runs.figure(each.name, "1/s") for runs, each in zip(measured, arrangements, strict=True)),
        *(Runs(values=tuple(each.evenness)).figure(f"least busy by busiest: {each.name}", "share") for each in spread),
    ]


async def _arrangements(folder: Path, issuer: Issuer, stack: AsyncExitStack) -> list[_Arrangement]:
    made = []
    for count in _PROCESSES:
        inner = folder / f"{count} ports"
        each = [running_extauthz(inner / f"replica {n}", issuer, core=EVERY) for n in range(count)]
        processes = [await stack.enter_async_context(one) for one in each]
        envoy = await stack.enter_async_context(_envoy(inner, [process.port for process in processes]))
        name = f"requests/s through Envoy, {count} process(es), a port each"
        made.append(_Arrangement(name=name, processes=processes, per_second=partial(_through, envoy, issuer)))
    for count in _WORKERS:
        inner = folder / f"{count} workers"
        processes = await stack.enter_async_context(_running_workers(inner, issuer, count))
        port = processes[0].port
        envoy = await stack.enter_async_context(_envoy(inner, [port]))
        name = f"requests/s through Envoy, {count} workers on one port"
        made.append(_Arrangement(name=name, processes=processes, per_second=partial(_through, envoy, issuer)))
        for connections in _CONNECTIONS:
            load = partial(_straight, port, check_request(issuer.rs256[0]), connections)
            name = f"Checks/s on {connections} connections, {count} workers on one port"
            made.append(_Arrangement(name=name, processes=processes, per_second=load))
    return made


def _envoy(folder: Path, ports: Sequence[int]) -> Any:
    def change(bootstrap: Bootstrap) -> None:
        with_ext_authz(bootstrap)
        endpoints = {"lb_endpoints": [_endpoint(port) for port in ports]}
        cluster(bootstrap, "extauthz")["load_assignment"]["endpoints"] = [endpoints]

    return running_envoy(folder, authorization_port=ports[0], upstream_port=9, change=change)


def _endpoint(port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}


@asynccontextmanager
async def _running_workers(folder: Path, issuer: Issuer, count: int) -> AsyncIterator[list[Served]]:
    """Each with the port that they share."""
    command = (*SERVE, "--workers", str(count))
    async with running_extauthz(folder, issuer, core=EVERY, command=command) as supervisor:
        yield [Served(port=supervisor.port, process_id=child) for child in _children(supervisor.process_id)]


def _children(process_id: int) -> list[int]:
    listed = Path(f"/proc/{process_id}/task/{process_id}/children").read_text(encoding="ascii")
    return list(map(int, listed.split()))


async def _through(envoy: RunningEnvoy, issuer: Issuer) -> float:
    options = [part for line in client_headers(issuer.rs256[0]) for part in ("--header", line)]
    load = await requests(envoy.url("/petstore/v1/pets"), *options, count=_REQUESTS)
    return load.per_second


async def _straight(port: int, request: bytes, connections: int) -> float:
    # As many at a time, whatever the number of connections.
    load = await checks(port, request, count=_REQUESTS, clients=connections, streams=max(1, 128 // connections))
    return load.per_second
