"""The runs of the section `handler`."""

import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from redis.asyncio import Redis

from benchmarks.figure import Figure, Runs
from benchmarks.issuer import Issuer
from benchmarks.plane import Check, Plane
from benchmarks.requests import check_request, is_allowed, numbered_token
from benchmarks.timing import each, each_awaited

RUNS = int(os.environ.get("BENCH_RUNS", "7"))
_WARM_CHECKS = 2_000
_REDIS_CHECKS = 300
_PARSE, _WARM_JWT, _WARM_OPAQUE, _GET = "parse", "warm JWT", "warm opaque", "redis GET"
_ALGORITHMS = ("RS256", "ES256")


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
        jwt_request, opaque_request = check_request(self.issuer.rs256[0]), check_request(numbered_token(0))
        self._note(_PARSE, each(CheckRequest.FromString, [jwt_request] * _WARM_CHECKS))
        self._note(f"{_PARSE} opaque", each(CheckRequest.FromString, [opaque_request] * _WARM_CHECKS))
        for name, plane in (("", self.plain), (" and a backend JWT", self.signing)):
            await self._checks(_WARM_JWT + name, plane.check, [jwt_request] * _WARM_CHECKS)
            await self._checks(_WARM_OPAQUE + name, plane.check, [opaque_request] * _WARM_CHECKS)
        await self._checks("without its log", self.plain.check_without_log, [jwt_request] * _WARM_CHECKS)
        await self._cold_run(run)
        self._note(_GET, await each_awaited(get, ["fact"] * _REDIS_CHECKS, waits=True))
        pair = [check_request(numbered_token(number)) for number in (1, 2)]
        await self._checks("Redis", self.shared.check, pair * (_REDIS_CHECKS // 2), waits=True)
        await self._checks("warm, by the clock", self.plain.check, [opaque_request] * _REDIS_CHECKS, waits=True)
        unknown = [check_request(numbered_token(next(self._numbers) + 100)) for _ in range(self.cold)]
        await self._checks("introspection", self.plain.check, unknown, waits=True)

    async def _cold_run(self, run: int) -> None:
        for algorithm, tokens, jwk in (
            ("RS256", self.issuer.rs256, self.issuer.jwk_rs256),
            ("ES256", self.issuer.es256, self.issuer.jwk_es256),
        ):
            fresh = tokens[1 + run * self.cold : 1 + (run + 1) * self.cold]
            key = jwt.PyJWK(jwk)
            decode = jwt.PyJWT({"verify_aud": False}).decode
            self._note(f"decode {algorithm}", each(lambda token: decode(token, key, [algorithm]), fresh))  # noqa: B023 - called at once
            await self._checks(f"cold {algorithm}", self.plain.check, [check_request(t) for t in fresh])

    async def _checks(self, name: str, check: Check, requests: list[bytes], *, waits: bool = False) -> None:
        self._note(name, await each_awaited(check, requests, waits=waits))
        if not is_allowed(await check(requests[-1])):
            raise RuntimeError(f"{name}: refused")

    def _note(self, name: str, microseconds: float) -> None:
        self._taken[name].append(microseconds)

    def _warm_figures(self) -> Iterator[Figure]:
        for kind, floor in ((_WARM_JWT, _PARSE), (_WARM_OPAQUE, f"{_PARSE} opaque")):
            yield self._runs(kind, floor).figure(f"Check, {kind}; floor: CheckRequest.FromString", "us", goal=20.0)
            name = f"{kind} and a backend JWT"
            yield self._runs(name, floor).figure(f"Check, {name} (held); floor: CheckRequest.FromString", "us")
        logged = self._extra(_WARM_JWT, "without its log")
        yield logged.figure("Check, warm JWT: its line in the log of decisions", "us")

    def _cold_figures(self) -> Iterator[Figure]:
        for algorithm in _ALGORITHMS:
            extra = self._extra(f"cold {algorithm}", _WARM_JWT, f"decode {algorithm}")
            name = f"Check, cold JWT {algorithm}, above warm; floor: PyJWT's decode"
            yield extra.figure(name, "us", goal=1.5)

    def _introspected_figures(self) -> Iterator[Figure]:
        yield self._extra("Redis", "warm, by the clock", _GET).figure(
            "Check, opaque token found in Redis, above warm; floor: one GET of redis-py", "us", goal=1.5
        )
        yield self._runs("introspection", "warm, by the clock").figure(
            "Check, opaque token, introspected; floor: the same, warm", "us"
        )

    def _runs(self, name: str, floor: str) -> Runs:
        return Runs(values=tuple(self._taken[name]), floors=tuple(self._taken[floor]))

    def _extra(self, name: str, without: str, floor: str = "") -> Runs:
        """What one costs above the other, run by run."""
        pairs = zip(self._taken[name], self._taken[without], strict=True)
        floors = tuple(self._taken[floor]) if floor else ()
        return Runs(values=tuple(value - other for value, other in pairs), floors=floors)
