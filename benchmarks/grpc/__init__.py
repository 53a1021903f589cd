"""Checks a second on one core, over gRPC, beside an empty handler on the same server that returns the same bytes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.valkey import ValkeyServer

from benchmarks.cores import LOAD, use
from benchmarks.figure import Figure, GoalOn, Runs
from benchmarks.files import BACKEND_JWT
from benchmarks.h2load import Load, count_for
from benchmarks.issuer import Issuer, running_issuer
from benchmarks.requests import check_request, numbered_token
from benchmarks.served import Served, replayed, running_empty, running_extauthz

_RUNS = int(os.environ.get("BENCH_RUNS", "5"))
_SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
"""Of each load."""
_PARTS = 5
_PACED_CHECKS = int(1_500 * _SECONDS)
_PER_SECOND = 1_000
_DISTINCT = 1_000
"""Tokens in turn, where each of them must be asked about: requests with one token would share one question."""
_GOAL_SHARE, _GOAL_CORE, _GOAL_P99_MILLISECONDS = 0.80, 0.06, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenario:
    name: str
    request: bytes
    served: Served
    empty: Served
    goal: float | None = None
    distinct: int = 1
    """With more than one, these opaque tokens in turn instead of the request, by our replayer."""

    async def load(self, served: Served, count: int) -> Load:
        """On the one or the other."""
        if self.distinct == 1:
            return await served.load(self.request, count=count)
        return await replayed(served, Path(), count=count, distinct=self.distinct)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paced:
    """One run at a fixed rate."""

    cores: float
    """Processor time by time."""
    load: Load


async def figures() -> list[Figure]:
    """Two connections, 50 streams each: enough to keep one core busy."""
    use(LOAD)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        issuer = await stack.enter_async_context(running_issuer(folder))
        scenarios = [*await _scenarios(folder, issuer, stack), *await _asking(folder, issuer, stack)]
        taken = [await _throughput(scenario) for scenario in scenarios]
        measured = [
            runs.figure(
                f"Checks/s on one core, {scenario.name}; floor: an empty handler",
                "1/s",
                goal=scenario.goal,
                at_least=True,
            )
            for scenario, runs in zip(scenarios, taken, strict=True)
        ]
        for scenario in scenarios[:2]:
            measured += await _paced_figures(scenario, folder)
        return [*measured, await _calibration(scenarios[1], folder)]


async def _scenarios(folder: Path, issuer: Issuer, stack: AsyncExitStack) -> list[_Scenario]:
    plain = await stack.enter_async_context(running_extauthz(folder / "plain", issuer))
    signing = await stack.enter_async_context(
        running_extauthz(folder / "signing", issuer, {"backend_jwt": BACKEND_JWT})
    )
    jwt_request, opaque_request = check_request(issuer.rs256[0]), check_request(numbered_token(0))

    async def scenario(name: str, request: bytes, served: Served, goal: float | None) -> _Scenario:
        response = await served.answer(request)
        empty = await stack.enter_async_context(running_empty(folder / f"empty {name}", response))
        return _Scenario(name=name, request=request, served=served, empty=empty, goal=goal)

    reading = running_empty(folder / "reading", await plain.answer(jwt_request), reads=True)
    return [
        await scenario("warm JWT", jwt_request, plain, _GOAL_SHARE),
        await scenario("warm opaque", opaque_request, plain, _GOAL_SHARE),
        await scenario("warm JWT and a backend JWT", jwt_request, signing, None),
        await scenario("request and token only read", jwt_request, await stack.enter_async_context(reading), None),
    ]


async def _asking(folder: Path, issuer: Issuer, stack: AsyncExitStack) -> list[_Scenario]:
    """Those that know no token: nothing, or too little, is kept in the process."""
    valkey = await stack.enter_async_context(ValkeyServer())
    redis = {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": valkey.url, "timeout_seconds": 1.0}}
    opaque = check_request(numbered_token(0))

    async def scenario(name: str, request: bytes, cache: dict[str, Any], distinct: int = 1) -> _Scenario:
        served = await stack.enter_async_context(running_extauthz(folder / name, issuer, {"cache": cache}))
        running = running_empty(folder / f"empty {name}", await served.answer(request))
        empty = await stack.enter_async_context(running)
        return _Scenario(name=name, request=request, served=served, empty=empty, distinct=distinct)

    unkept = {"jwt": {"enabled": False}}
    return [
        await scenario("cold JWT RS256", check_request(issuer.rs256[0]), unkept),
        await scenario("cold JWT ES256", check_request(issuer.es256[0]), unkept),
        await scenario("opaque token found in Redis", opaque, redis | {"introspection": {"entries": 1}}, _DISTINCT),
        await scenario("opaque token, introspected", opaque, {"introspection": {"enabled": False}}, _DISTINCT),
    ]


async def _throughput(scenario: _Scenario) -> Runs:
    """Each run in parts that take turns with the floor's: the machine may be twice as fast a second later."""
    values, floors = [], []
    count, floor_count = await _count(scenario, scenario.served), await _count(scenario, scenario.empty)
    for _ in range(_RUNS):
        own = floor = 0.0
        for _ in range(_PARTS):
            floor += await _processor_seconds(scenario, scenario.empty, floor_count)
            own += await _processor_seconds(scenario, scenario.served, count)
        values.append(_PARTS * count / own)
        floors.append(_PARTS * floor_count / floor)
    return Runs(values=tuple(values), floors=tuple(floors))


async def _processor_seconds(scenario: _Scenario, served: Served, count: int) -> float:
    """Of all of its threads, gRPC's too. By the clock it is the same, but only where nobody else is on the core."""
    before = served.processor_seconds()
    await scenario.load(served, count)
    return served.processor_seconds() - before


async def _count(scenario: _Scenario, served: Served) -> int:
    return await count_for(_SECONDS / _PARTS, lambda count: scenario.load(served, count))


async def _paced_figures(scenario: _Scenario, folder: Path) -> list[Figure]:
    async def paced(served: Served) -> _Paced:
        return await _paced(served, scenario.request, folder)

    pairs = [(await paced(scenario.served), await paced(scenario.empty)) for _ in range(_RUNS)]
    what = f"at {_PER_SECOND} Checks/s, {scenario.name}"
    above = Runs(values=tuple(own.cores - empty.cores for own, empty in pairs))
    cores = Runs(values=tuple(own.cores for own, _ in pairs), floors=tuple(empty.cores for _, empty in pairs))
    return [
        cores.figure(f"{what}: processor; floor: an empty handler", "core"),
        above.figure(f"{what}: processor, above the empty handler", "core", goal=_GOAL_CORE, goal_on=GoalOn.VALUE),
        *_latencies(what, pairs),
    ]


def _latencies(what: str, pairs: list[tuple[_Paced, _Paced]]) -> Iterator[Figure]:
    for percent, goal in ((50, None), (99, _GOAL_P99_MILLISECONDS)):
        values = tuple(own.load.percentile(percent) for own, _ in pairs)
        floors = tuple(empty.load.percentile(percent) for _, empty in pairs)
        name = f"{what}: p{percent}; floor: an empty handler"
        yield Runs(values=values, floors=floors).figure(name, "ms", goal=goal, goal_on=GoalOn.VALUE)


async def _paced(served: Served, request: bytes, folder: Path) -> _Paced:
    before = served.processor_seconds()
    load = await replayed(served, folder, count=_PACED_CHECKS, body=request, per_second=_PER_SECOND)
    return _Paced(cores=(served.processor_seconds() - before) * load.per_second / _PACED_CHECKS, load=load)


async def _calibration(scenario: _Scenario, folder: Path) -> Figure:
    """The same body by both against the empty handler, which is the fastest of what they have to keep busy."""
    values, floors = [], []
    count = await _count(scenario, scenario.empty)
    for _ in range(_RUNS):
        floors.append((await scenario.empty.load(scenario.request, count=count)).per_second)
        values.append((await replayed(scenario.empty, folder, count=count, body=scenario.request)).per_second)
    runs = Runs(values=tuple(values), floors=tuple(floors))
    return runs.figure("the replayer's Checks/s of an empty handler; floor: h2load's", "1/s")
