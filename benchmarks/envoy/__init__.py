"""Requests a second through Envoy, and their latency at 70 % of that, with and without somebody who authorizes."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from support.envoy import RunningEnvoy, running_envoy

from benchmarks.cores import LOAD, use
from benchmarks.envoy.bootstraps import Change, with_ext_authz, with_jwt_authn, with_nothing
from benchmarks.figure import Figure, Runs
from benchmarks.h2load import Load, count_for, requests
from benchmarks.issuer import Issuer, running_issuer
from benchmarks.requests import check_request, client_headers, numbered_token
from benchmarks.served import running_empty, running_extauthz

_RUNS = int(os.environ.get("BENCH_RUNS", "5"))
_SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
_LOAD_SHARE = 0.7
_GOAL_SHARE = 0.90
_PATH = "/petstore/v1/pets?limit=20"
_NOBODY = 9
"""A port where nothing listens (RFC 863's); no request goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenario:
    name: str
    envoy: RunningEnvoy
    token: str

    async def load(self, count: int, per_second: int = 0) -> Load:
        options = [part for line in client_headers(self.token) for part in ("--header", line)]
        return await requests(self.envoy.url(_PATH), *options, count=count, per_second=per_second)


async def figures() -> list[Figure]:
    """Envoy answers itself, so no upstream is measured. It shares its core with the load; who authorizes has the other.

    So the one who authorizes is the limit, and each request beyond what Envoy needs is his.
    """
    use(LOAD)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        issuer = await stack.enter_async_context(running_issuer(folder))
        scenarios = await _scenarios(folder, issuer, stack)
        most = await _maximum(scenarios)
        measured = [_figure(scenario, scenarios, most) for scenario in scenarios]
        for scenario in scenarios:
            measured += await _latencies(scenario, _median(most[scenario.name]))
        return measured


async def _scenarios(folder: Path, issuer: Issuer, stack: AsyncExitStack) -> list[_Scenario]:
    jwt, opaque = issuer.rs256[0], numbered_token(0)
    extauthz = await stack.enter_async_context(running_extauthz(folder / "extauthz", issuer))
    allow_jwt, allow_opaque = [
        await stack.enter_async_context(
            running_empty(folder / f"allow {number}", await extauthz.answer(check_request(token)))
        )
        for number, token in enumerate((jwt, opaque))
    ]
    made = []
    for name, change, port, token in (
        ("no filter", with_nothing, _NOBODY, jwt),
        ("jwt_authn, uncached", with_jwt_authn(issuer, cached=0), _NOBODY, jwt),
        ("jwt_authn, cached", with_jwt_authn(issuer, cached=1_000), _NOBODY, jwt),
        ("ext_authz, allow-all (JWT)", with_ext_authz, allow_jwt.port, jwt),
        ("ext_authz, extauthz (JWT)", with_ext_authz, extauthz.port, jwt),
        ("ext_authz, allow-all (opaque)", with_ext_authz, allow_opaque.port, opaque),
        ("ext_authz, extauthz (opaque)", with_ext_authz, extauthz.port, opaque),
    ):
        envoy = await _envoy(folder / name, change, port, stack)
        made.append(_Scenario(name=name, envoy=envoy, token=token))
    return made


async def _envoy(folder: Path, change: Change, port: int, stack: AsyncExitStack) -> RunningEnvoy:
    folder.mkdir()  # noqa: ASYNC240 - nothing is measured yet
    running = running_envoy(folder, authorization_port=port, upstream_port=_NOBODY, change=change)
    return await stack.enter_async_context(running)


async def _maximum(scenarios: Sequence[_Scenario]) -> dict[str, list[float]]:
    """Requests a second of each, in turn."""
    taken: dict[str, list[float]] = {scenario.name: [] for scenario in scenarios}
    counts = {scenario.name: await count_for(_SECONDS, scenario.load) for scenario in scenarios}
    for _ in range(_RUNS):
        for scenario in scenarios:
            taken[scenario.name].append((await scenario.load(counts[scenario.name])).per_second)
    return taken


def _figure(scenario: _Scenario, scenarios: Sequence[_Scenario], most: dict[str, list[float]]) -> Figure:
    """Beside allow-all, or Envoy alone."""
    values, name = tuple(most[scenario.name]), f"requests/s, {scenario.name}"
    if scenario is scenarios[0]:
        return Runs(values=values).figure(name, "1/s")
    if "extauthz" not in scenario.name:
        floors = tuple(most[scenarios[0].name])
        return Runs(values=values, floors=floors).figure(f"{name}; floor: no filter", "1/s")
    floors = tuple(most[scenario.name.replace("extauthz", "allow-all")])
    runs = Runs(values=values, floors=floors)
    return runs.figure(f"{name}; floor: allow-all", "1/s", goal=_GOAL_SHARE, at_least=True)


async def _latencies(scenario: _Scenario, most: float) -> Iterator[Figure]:
    rate = int(most * _LOAD_SHARE)
    loads = [await scenario.load(int(rate * _SECONDS), rate) for _ in range(_RUNS)]
    return (
        Runs(values=tuple(load.percentile(percent) for load in loads)).figure(
            f"p{percent} at 70 % of its maximum, {scenario.name}", "ms"
        )
        for percent in (50, 95, 99)
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
