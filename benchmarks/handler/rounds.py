"""The runs of the section `handler`."""

import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import Any

import jwt
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from redis.asyncio import Redis

from benchmarks.figure import Figure, Runs
from benchmarks.issuer import Issuer
from benchmarks.plane import Plane
from benchmarks.requests import check_request, is_allowed, numbered_token, raw_request
from benchmarks.timing import each, each_awaited

RUNS = int(os.environ.get("BENCH_RUNS", "7"))
_PARTS = 20
"""What belongs together takes turns, so many in each run: the machine may be twice as fast a second later."""
_WARM_CHECKS = 2_000
_REDIS_CHECKS = 300
_PARSE, _WARM_JWT, _WARM_OPAQUE, _GET = "parse", "warm JWT", "warm opaque", "redis GET"
_WARM_RAW = "warm JWT, by deploy/envoy"
_SIGNING, _NO_LOG = " and a backend JWT", " without its log"
_BY_CLOCK = "warm, by the clock"
_ALGORITHMS = ("RS256", "ES256")
_Takes = Callable[[Sequence[Any]], Awaitable[float]]
"""Microseconds for each of the arguments."""


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Measures in turn, `RUNS` times."""

    issuer: Issuer
    plain: Plane
    """With the default settings."""
    signing: Plane
    """With a backend JWT as well."""
    shared: Plane
    """With facts in Redis, and room for one in this process."""
    redis_url: str
    cold: int
    """Tokens that were never seen before, each run."""
    _taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    async def figures(self) -> list[Figure]:
        """The medians."""
        async with Redis.from_url(self.redis_url) as redis:
            await redis.set("fact", b"x" * 500)
            for run in range(-1, RUNS):  # the first one warms up
                await self._run(run + 1, redis.get)
                if run < 0:  # everything is known now that a warm Check finds
                    self._taken.clear()
        return [*self._warm_figures(), *self._cold_figures(), *self._introspected_figures()]

    async def _run(self, run: int, get: Callable[[str], Awaitable[Any]]) -> None:
        jwt, opaque = self.issuer.rs256[0], numbered_token(0)
        await self._warm_run(_WARM_JWT, check_request(jwt))
        await self._warm_run(_WARM_RAW, raw_request(jwt))
        await self._warm_run(_WARM_OPAQUE, check_request(opaque))
        await self._cold_run(run)
        opaque_request = check_request(opaque)
        pair = [check_request(numbered_token(number)) for number in (1, 2)]
        unknown = [check_request(numbered_token(next(self._numbers) + 100)) for _ in range(self.cold)]
        await self._in_turn(
            {
                _GET: (_awaited(get, waits=True), ["fact"] * _REDIS_CHECKS),
                "Redis": (_awaited(self.shared.check, waits=True), pair * (_REDIS_CHECKS // 2)),
                _BY_CLOCK: (_awaited(self.plain.check, waits=True), [opaque_request] * _REDIS_CHECKS),
                "introspection": (_awaited(self.plain.check, waits=True), unknown),
            }
        )
        await _ensure_allowed(self.shared, pair[0])
        await _ensure_allowed(self.plain, unknown[-1])

    async def _warm_run(self, kind: str, request: bytes) -> None:
        requests = [request] * _WARM_CHECKS
        await self._in_turn(
            {
                f"{_PARSE} {kind}": (_called(CheckRequest.FromString), requests),
                kind: (_awaited(self.plain.check), requests),
                kind + _SIGNING: (_awaited(self.signing.check), requests),
                kind + _NO_LOG: (_awaited(self.plain.check_without_log), requests),
            }
        )
        for plane in (self.plain, self.signing):
            await _ensure_allowed(plane, request)

    async def _cold_run(self, run: int) -> None:
        warm = [check_request(self.issuer.rs256[0])] * self.cold
        for algorithm, tokens, jwk in (
            ("RS256", self.issuer.rs256, self.issuer.jwk_rs256),
            ("ES256", self.issuer.es256, self.issuer.jwk_es256),
        ):
            fresh = tokens[1 + run * self.cold : 1 + (run + 1) * self.cold]
            decode = partial(jwt.PyJWT({"verify_aud": False}).decode, key=jwt.PyJWK(jwk), algorithms=[algorithm])
            requests = [check_request(token) for token in fresh]
            await self._in_turn(
                {
                    f"decode {algorithm}": (_called(decode), fresh),
                    f"cold {algorithm}": (_awaited(self.plain.check), requests),
                    f"warm beside {algorithm}": (_awaited(self.plain.check), warm),
                }
            )
            await _ensure_allowed(self.plain, requests[-1])

    async def _in_turn(self, steps: Mapping[str, tuple[_Takes, Sequence[Any]]]) -> None:
        """A part of each, and again; what is noted is the mean of all parts."""
        taken: dict[str, list[float]] = {name: [] for name in steps}
        for part in range(_PARTS):
            for name, (takes, arguments) in steps.items():
                size = len(arguments) // _PARTS
                taken[name].append(await takes(arguments[part * size : (part + 1) * size]))
        for name, parts in taken.items():
            self._taken[name].append(fmean(parts))

    def _warm_figures(self) -> Iterator[Figure]:
        for kind, goal in ((_WARM_JWT, 20.0), (_WARM_RAW, None), (_WARM_OPAQUE, 20.0)):
            floor = f"{_PARSE} {kind}"
            yield self._runs(kind, floor).figure(f"Check, {kind}; floor: CheckRequest.FromString", "us", goal=goal)
            name = f"{kind}{_SIGNING}"
            yield self._runs(name, floor).figure(f"Check, {name} (held); floor: CheckRequest.FromString", "us")
        logged = self._extra(_WARM_JWT, _WARM_JWT + _NO_LOG)
        yield logged.figure("Check, warm JWT: its line in the log of decisions", "us")

    def _cold_figures(self) -> Iterator[Figure]:
        for algorithm in _ALGORITHMS:
            extra = self._extra(f"cold {algorithm}", f"warm beside {algorithm}", f"decode {algorithm}")
            name = f"Check, cold JWT {algorithm}, above warm; floor: PyJWT's decode"
            yield extra.figure(name, "us", goal=1.5)

    def _introspected_figures(self) -> Iterator[Figure]:
        yield self._extra("Redis", _BY_CLOCK, _GET).figure(
            "Check, opaque token found in Redis, above warm; floor: one GET of redis-py", "us", goal=1.5
        )
        yield self._runs("introspection", _BY_CLOCK).figure(
            "Check, opaque token, introspected; floor: the same, warm", "us"
        )

    def _runs(self, name: str, floor: str) -> Runs:
        return Runs(values=tuple(self._taken[name]), floors=tuple(self._taken[floor]))

    def _extra(self, name: str, without: str, floor: str = "") -> Runs:
        """What one costs above the other, run by run."""
        pairs = zip(self._taken[name], self._taken[without], strict=True)
        floors = tuple(self._taken[floor]) if floor else ()
        return Runs(values=tuple(value - other for value, other in pairs), floors=floors)


def _called(call: Callable[[Any], object]) -> _Takes:
    async def takes(arguments: Sequence[Any]) -> float:
        return each(call, arguments)

    return takes


def _awaited(call: Callable[[Any], Awaitable[object]], *, waits: bool = False) -> _Takes:
    return partial(each_awaited, call, waits=waits)


async def _ensure_allowed(plane: Plane, request: bytes) -> None:
    if not is_allowed(await plane.check(request)):
        raise RuntimeError("what was measured is refused")
