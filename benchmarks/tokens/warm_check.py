"""What a Check of a known token costs in process, bytes in and bytes out, beside reading the request alone."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from support.authorization_server import AuthorizationServer
from support.deciding import deciding

from benchmarks.figure import Figure
from benchmarks.requests import GOOD, check_request, is_allowed
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.servicer import Answering, AuthorizationServicer

_CHECKS = 1_000
_ROUNDS = 15
"""The best counts: what slows a round down is the rest of the machine."""


async def figures() -> list[Figure]:
    """Without the decision log and without a backend JWT: the path that every Check goes."""
    async with AuthorizationServer() as issuer, deciding(issuer) as world:
        servicer = AuthorizationServicer(
            Answering(decider=world.pipeline, responses=ResponseBuilder(ResponsePolicy()), budget_seconds=2.5)
        )
        tokens = {"JWT": issuer.issue_jwt(**GOOD), "opaque token": issuer.issue_opaque(**GOOD)}
        return [await _figure(name, check_request(token), servicer.Check) for name, token in tokens.items()]


async def _figure(name: str, request: bytes, check: Callable[[bytes], Awaitable[bytes]]) -> Figure:
    if not is_allowed(await check(request)):
        raise RuntimeError(f"the {name} is refused")
    rounds = [(await _check_round(check, request), _parse_round(request)) for _ in range(_ROUNDS)]
    value, floor = (min(times) for times in zip(*rounds, strict=True))
    return Figure(name=f"warm Check, {name}; floor: CheckRequest.FromString", value=value, unit="us", floor=floor)


async def _check_round(check: Callable[[bytes], Awaitable[bytes]], request: bytes) -> float:
    start = perf_counter()
    for _ in range(_CHECKS):
        await check(request)
    return (perf_counter() - start) / _CHECKS * 1e6


def _parse_round(request: bytes) -> float:
    start = perf_counter()
    for _ in range(_CHECKS):
        CheckRequest.FromString(request)
    return (perf_counter() - start) / _CHECKS * 1e6
