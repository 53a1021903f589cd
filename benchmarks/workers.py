"""What several processes give, behind one Envoy that knows a port of each.

`extauthz serve` is one process. So each of these is a replica of its own, as it would be on a machine of its own; they
share two cores with Envoy and the load, so that the figures say how work spreads rather than how far it goes.
"""

import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from support.envoy import RunningEnvoy, running_envoy

from benchmarks.cores import EVERY, LOAD, use
from benchmarks.envoy.bootstraps import with_ext_authz
from benchmarks.figure import Figure, Runs
from benchmarks.h2load import requests
from benchmarks.issuer import Issuer, running_issuer
from benchmarks.requests import client_headers
from benchmarks.served import Served, running_extauthz
from extauthz.cli.demo.envoy_bootstrap import Bootstrap, cluster

_RUNS = int(os.environ.get("BENCH_RUNS", "5"))
_REQUESTS = int(os.environ.get("BENCH_CHECKS", "4000"))
_PROCESSES = (1, 2, 4)


async def figures() -> list[Figure]:
    """One process is the floor of two and of four."""
    use(LOAD)
    measured, spreads = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with running_issuer(folder) as issuer, AsyncExitStack() as stack:
            sets = [await _replicas(folder / str(count), issuer, count, stack) for count in _PROCESSES]
            taken: list[list[float]] = [[] for _ in sets]
            shares: list[list[float]] = [[] for _ in sets]
            for _ in range(_RUNS):
                for number, (replicas, envoy) in enumerate(sets):
                    before = [replica.processor_seconds() for replica in replicas]
                    taken[number].append(await _per_second(envoy, issuer))
                    used = [r.processor_seconds() - b for r, b in zip(replicas, before, strict=True)]
                    shares[number].append(min(used) / max(used))
    for count, values, evenness in zip(_PROCESSES, taken, shares, strict=True):
        floors = tuple(taken[0]) if count > 1 else ()
        runs = Runs(values=tuple(values), floors=floors)
        measured.append(runs.figure(f"requests/s through Envoy, {count} process(es)", "1/s"))
        if count > 1:
            name = f"work of the least busy process by that of the busiest, of {count}"
            spreads.append(Runs(values=tuple(evenness)).figure(name, "share"))
    return [*measured, *spreads]


async def _replicas(
    folder: Path, issuer: Issuer, count: int, stack: AsyncExitStack
) -> tuple[list[Served], RunningEnvoy]:
    replicas = [
        await stack.enter_async_context(running_extauthz(folder / f"replica {number}", issuer, core=EVERY))
        for number in range(count)
    ]

    def change(bootstrap: Bootstrap) -> None:
        with_ext_authz(bootstrap)
        endpoints = [_endpoint(replica.port) for replica in replicas]
        cluster(bootstrap, "extauthz")["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]

    running = running_envoy(folder, authorization_port=replicas[0].port, upstream_port=9, change=change)
    return replicas, await stack.enter_async_context(running)


def _endpoint(port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}


async def _per_second(envoy: RunningEnvoy, issuer: Issuer) -> float:
    options = [part for line in client_headers(issuer.rs256[0]) for part in ("--header", line)]
    load = await requests(envoy.url("/petstore/v1/pets"), *options, count=_REQUESTS)
    return load.per_second
