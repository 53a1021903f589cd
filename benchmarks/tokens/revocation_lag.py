"""How long after a revocation a token is still accepted by any of several replicas that are busy."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from redis.asyncio import Redis
from support.authorization_server import AuthorizationServer
from support.valkey import ValkeyServer

from benchmarks.figure import Figure, percentile
from benchmarks.replicas import Replica, running_replicas
from benchmarks.requests import GOOD, check_request, is_allowed

_REVOCATIONS = 60
_LOAD_PER_REPLICA = 80
"""Checks a second of other tokens."""
_PROBE_SECONDS = 0.002
"""Between two Checks of the revoked token on one replica: the resolution of the figures."""
_ACCEPTED_BEFORE = 3
_REFUSED_AFTER = 10
"""In a row, before a replica is believed."""
_ONE_SECONDS = 20
_GOAL_MILLISECONDS = 1000.0
_STREAM = "benchmark"


async def figures() -> list[Figure]:
    """Lag: from the return of the revoke call to the last answer, on any replica, that accepted the token."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            AuthorizationServer() as issuer,
            ValkeyServer() as valkey,
            running_replicas(Path(folder), issuer, valkey.url) as replicas,
            _load(issuer, replicas) as load,
            _news(valkey.url) as news,
        ):
            probes = [_Probe(replicas=replicas) for _ in range(_REVOCATIONS)]
            floors = []
            for number, probe in enumerate(probes):
                floors.append(await news.round_trip())
                async with asyncio.timeout(_ONE_SECONDS):
                    await probe.run(*_token(issuer, number), replicas[number % len(replicas)])
            rate = (load.checks + sum(probe.checks for probe in probes)) / (perf_counter() - load.started)
    if load.refused:
        raise RuntimeError(f"{load.refused} Checks of other tokens were refused")
    return _figures(probes, floors, rate)


def _figures(probes: list["_Probe"], floors: list[float], rate: float) -> list[Figure]:
    accepted, refused = ([lag * 1000 for lag in lags] for lags in zip(*(probe.lags for probe in probes), strict=True))
    what = f"{len(probes)} revocations, 3 replicas, {rate:.0f} Checks/s: revoke call"
    return [
        _percentile(f"{what} returns -> last accepted use, p50", accepted, floors, 50),
        _percentile(f"{what} returns -> last accepted use, p99", accepted, floors, 99, goal=_GOAL_MILLISECONDS),
        _percentile(f"{what} returns -> last accepted use, max", accepted, floors, 100),
        _percentile(f"{what} returns -> refused on every replica, p50", refused, floors, 50),
        _percentile(f"{what} returns -> refused on every replica, p99", refused, floors, 99),
    ]


def _percentile(
    name: str, milliseconds: list[float], floors: list[float], percent: int, *, goal: float | None = None
) -> Figure:
    floor = percentile(floors, percent) * 1000
    return Figure(name=name, value=percentile(milliseconds, percent), unit="ms", floor=floor, goal=goal)


def _token(issuer: AuthorizationServer, number: int) -> tuple[str, dict[str, str]]:
    """A new token and how it is revoked: each form of token, by itself and by its `jti`."""
    jti = f"token-{number}"
    token = issuer.issue_jwt(**GOOD, jti=jti) if number % 2 else issuer.issue_opaque(**GOOD, jti=jti)
    return token, {"jti": jti} if number // 2 % 2 else {"token": token}


@dataclass(slots=True, kw_only=True)
class _Probe:
    """Uses one token on every replica, again and again, while it is revoked."""

    replicas: list[Replica]
    checks: int = 0
    lags: tuple[float, float] = (0.0, 0.0)
    """Seconds from the return of the revoke call to the last answer that accepted (0: none did), and to the first from
    which on all refused. The truth lies between them."""
    _last_accepted: float = 0.0
    _accepted: dict[int, int] = field(default_factory=dict)
    _refused: dict[int, float] = field(default_factory=dict)
    """When the answers of each replica became refusals."""
    _used: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, token: str, revocation: dict[str, str], through: Replica) -> None:
        """Until every replica refuses."""
        request = check_request(token)
        async with asyncio.TaskGroup() as group:
            for number, replica in enumerate(self.replicas):
                group.create_task(self._use(number, replica, request))
            await self._used.wait()
            await through.revoke(**revocation)
            returned = perf_counter()
        self.lags = (max(0.0, self._last_accepted - returned), max(0.0, max(self._refused.values()) - returned))

    async def _use(self, number: int, replica: Replica, request: bytes) -> None:
        refused = 0
        while refused < _REFUSED_AFTER:
            allowed = is_allowed(await replica.check(request))
            self.checks += 1
            refused = 0 if allowed else refused + 1
            if allowed:
                self._note(number)
            elif refused == 1:
                self._refused[number] = perf_counter()
            await asyncio.sleep(_PROBE_SECONDS)

    def _note(self, number: int) -> None:
        self._last_accepted = perf_counter()
        self._accepted[number] = self._accepted.get(number, 0) + 1
        if len(self._accepted) == len(self.replicas) and min(self._accepted.values()) >= _ACCEPTED_BEFORE:
            self._used.set()


@dataclass(slots=True, kw_only=True)
class _Load:
    started: float
    checks: int = 0
    refused: int = 0


@asynccontextmanager
async def _load(issuer: AuthorizationServer, replicas: list[Replica]) -> AsyncIterator[_Load]:
    """Checks of other tokens, paced, on each replica."""
    tokens = [issue(**GOOD) for issue in (issuer.issue_jwt, issuer.issue_opaque) for _ in range(10)]
    requests, load = [check_request(token) for token in tokens], _Load(started=perf_counter())
    tasks = [asyncio.create_task(_keep_busy(replica, requests, load)) for replica in replicas]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_busy(replica: Replica, requests: list[bytes], load: _Load) -> None:
    due = perf_counter()
    for request in itertools.cycle(requests):
        load.refused += not is_allowed(await replica.check(request))
        load.checks += 1
        due += 1 / _LOAD_PER_REPLICA
        await asyncio.sleep(max(0.0, due - perf_counter()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """The floor: XADD on one connection, and the waiting XREAD's answer on another."""

    writer: Redis
    reader: Redis

    async def round_trip(self) -> float:
        """Seconds from the writer's call to both answers."""
        last = await self.writer.xadd(_STREAM, {"news": "first"}, maxlen=100)
        waiting = asyncio.ensure_future(self._next(last))
        await asyncio.sleep(_PROBE_SECONDS)  # so that it waits at the server; if not, it finds the news all the same
        start = perf_counter()
        await asyncio.gather(self.writer.xadd(_STREAM, {"news": "x" * 100}, maxlen=100), waiting)
        return perf_counter() - start

    async def _next(self, last: Any) -> None:
        await self.reader.xread({_STREAM: last}, block=10_000)


@asynccontextmanager
async def _news(url: str) -> AsyncIterator[_News]:
    async with Redis.from_url(url) as writer, Redis.from_url(url) as reader:
        news = _News(writer=writer, reader=reader)
        await news.round_trip()  # the first one connects
        yield news
