"""Whether a Check costs the same however many APIs and tokens are known; what a token weighs; how long a start is."""

import os
import tempfile
from collections.abc import Sequence
from compileall import compile_dir
from contextlib import AsyncExitStack
from pathlib import Path

import extauthz
from benchmarks.cores import LOAD, use
from benchmarks.figure import Figure, GoalOn, Runs
from benchmarks.issuer import Issuer, running_issuer
from benchmarks.requests import check_request
from benchmarks.served import Served, replayed, running_extauthz

_RUNS = int(os.environ.get("BENCH_RUNS", "5"))
_CHECKS = int(os.environ.get("BENCH_CHECKS", "5000"))
_APIS = (1, 100, 10_000)
_TOKENS = (1, 10_000, int(os.environ.get("BENCH_TOKENS", "1000000")))
_GOAL_SHARE = 0.8
_GOAL_START_SECONDS = 2.0
_START = "from the start of the process to ready, APIs in the file: {apis:,}"


async def figures() -> list[Figure]:
    """The smallest is the floor of the others; all take turns."""
    use(LOAD)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with running_issuer(folder) as issuer:
            starts = await _starts(folder, issuer)
            return [starts, *await _by_apis(folder, issuer), *await _by_tokens(folder, issuer)]


async def _starts(folder: Path, issuer: Issuer) -> Figure:
    # As whoever installs the package has it: else each start compiles every module, a third of its time, wherever
    # PYTHONDONTWRITEBYTECODE is set.
    compile_dir(Path(extauthz.__file__).parent, quiet=2)
    seconds = []
    for number in range(_RUNS):
        async with running_extauthz(folder / f"start {number}", issuer) as served:
            seconds.append(served.start_seconds)
    runs = Runs(values=tuple(seconds))
    return runs.figure(_START.format(apis=1), "s", goal=_GOAL_START_SECONDS, goal_on=GoalOn.VALUE)


async def _by_apis(folder: Path, issuer: Issuer) -> list[Figure]:
    request = check_request(issuer.rs256[0])
    async with AsyncExitStack() as stack:
        served = [
            await stack.enter_async_context(running_extauthz(folder / f"apis {apis}", issuer, apis=apis))
            for apis in _APIS
        ]
        taken: list[list[float]] = [[] for _ in served]
        for _ in range(_RUNS):
            for each, values in zip(served, taken, strict=True):
                values.append((await each.load(request, count=_CHECKS)).per_second)
        # Of a large file one start says enough.
        starts = [
            Figure(name=_START.format(apis=apis), value=each.start_seconds, unit="s")
            for apis, each in zip(_APIS[1:], served[1:], strict=True)
        ]
    return [*starts, *_flat([f"Checks/s, warm JWT, APIs: {apis:,}" for apis in _APIS], taken)]


async def _by_tokens(folder: Path, issuer: Issuer) -> list[Figure]:
    async with AsyncExitStack() as stack:
        served = [await _filled(folder, issuer, tokens, stack) for tokens in _TOKENS]
        bytes_each = (served[-1].resident_bytes() - served[0].resident_bytes()) / _TOKENS[-1]
        taken: list[list[float]] = [[] for _ in served]
        for _ in range(_RUNS):
            for each, tokens, values in zip(served, _TOKENS, taken, strict=True):
                values.append((await replayed(each, folder, count=_CHECKS, distinct=tokens)).per_second)
    names = [f"Checks/s, warm opaque, known tokens, in turn: {tokens:,}" for tokens in _TOKENS]
    weight = Figure(name=f"resident memory of a known token, of {_TOKENS[-1]:,}", value=bytes_each, unit="bytes")
    return [*_flat(names, taken), weight]


async def _filled(folder: Path, issuer: Issuer, tokens: int, stack: AsyncExitStack) -> Served:
    cache = {"introspection": {"entries": max(tokens, 50_000)}}
    command = ("benchmarks.filled", str(tokens), "serve")
    running = running_extauthz(folder / f"tokens {tokens}", issuer, {"cache": cache}, command=command)
    return await stack.enter_async_context(running)


def _flat(names: Sequence[str], taken: Sequence[list[float]]) -> list[Figure]:
    first, *others = [Runs(values=tuple(values), floors=tuple(taken[0])) for values in taken]
    return [
        Runs(values=first.values).figure(names[0], "1/s"),
        *(
            runs.figure(f"{name}; floor: the first", "1/s", goal=_GOAL_SHARE, at_least=True)
            for name, runs in zip(names[1:], others, strict=True)
        ),
    ]
