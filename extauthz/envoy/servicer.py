"""Answers Envoy's Check, whatever happens behind it."""

import asyncio
import types
from collections.abc import Coroutine, Generator, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol, runtime_checkable

import grpc
import structlog
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from google.protobuf.message import DecodeError

from extauthz.envoy.in_flight import InFlight
from extauthz.envoy.request import request_context
from extauthz.envoy.response import ResponseBuilder
from extauthz.model.check import Decision, Deny, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable

AUTHORIZATION_SERVICE = "envoy.service.auth.v3.Authorization"

_log = structlog.get_logger(__name__)


class Decider(Protocol):
    """Says whether a request may pass."""

    async def decide(self, request: RequestContext) -> Decision:
        """The decision. Whatever is raised, or returned in its place, refuses the request."""
        ...


class DecisionObserver(Protocol):
    """Told of each decision before its answer leaves; what it raises is logged, and changes nothing."""

    def __call__(self, request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """A decision was taken within `seconds`; `request` is None where none could be read."""
        ...


class OnCall(Protocol):
    """Told of each call before its request is read."""

    def __call__(self, metadata: Iterable[tuple[str, str | bytes]] | None, /) -> None:
        """A Check comes with these metadata; in the task, so in the context, that answers it."""
        ...


@runtime_checkable
class _Call(Protocol):
    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


class Shadow(Protocol):
    """Says which refusals are recorded and not enforced."""

    def __call__(self, deny: Deny, request: RequestContext | None, /) -> Deny:
        """The refusal, with `shadow` set if the request passes all the same. Whatever is raised enforces it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answering:
    """What Checks are answered with, all of it by one reading of the settings.

    Raises:
        ValueError: no time at all.
    """

    decider: Decider
    responses: ResponseBuilder
    budget_seconds: float
    """For one Check; must be below the timeout that Envoy waits, or Envoy gives up first."""
    on_decision: DecisionObserver | None = None
    shadow: Shadow | None = None
    """None: every refusal is enforced."""
    on_call: OnCall | None = None
    waiting: InFlight = field(default_factory=InFlight)
    """Checks that wait for something; all others are over within one turn of the event loop."""

    def __post_init__(self) -> None:
        if not self.budget_seconds > 0:
            raise ValueError("budget_seconds must be above 0")


class AuthorizationServicer:
    """`envoy.service.auth.v3.Authorization`, on serialized messages.

    Refuses inside a successful call: Envoy takes a failed call for an outage, which `failure_mode_allow` lets pass.
    """

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        """Of Checks that come from now on: each ends with what it began with."""

    async def Check(self, request_bytes: bytes, context: object = None) -> bytes:  # noqa: N802 - Envoy's name
        """A serialized CheckResponse for a serialized CheckRequest.

        Raises:
            asyncio.CancelledError: the caller went away. Nothing else.
        """
        started = perf_counter()  # the loop's own time stands still within a turn
        answering = self.answering
        request: RequestContext | None = None
        try:
            if answering.on_call is not None:
                answering.on_call(context.invocation_metadata() if isinstance(context, _Call) else None)
            request = request_context(CheckRequest.FromString(request_bytes))
            deciding = answering.decider.decide(request)
            try:
                # Most decisions wait for nothing, and need no time limit: `asyncio.timeout` alone takes 7 us.
                decision = await _in_time(answering, deciding, deciding.send(None), started)
            except StopIteration as decided:
                decision = decided.value
            if isinstance(decision, Deny):
                decision = _shadowed(answering, decision, request)
            response = answering.responses.response(decision)
        except (Exception, asyncio.CancelledError) as exc:  # the data plane's one: whatever went wrong is a refusal
            if isinstance(exc, asyncio.CancelledError) and _is_being_cancelled():
                raise
            decision = _shadowed(answering, _refusal(exc, request), request)
            response = answering.responses.response(decision)
        if answering.on_decision is not None:
            # At once: put off to the next turn of the event loop, it costs half as much again.
            try:
                answering.on_decision(request, decision, perf_counter() - started)
            except Exception as exc:  # noqa: BLE001 - no reason to fail the call
                _log_failure("observer_failed", exc, request)
        return response


async def _in_time(
    answering: Answering, deciding: Coroutine[object, None, Decision], waits_for: object, started: float
) -> Decision:
    with answering.waiting:
        async with asyncio.timeout(answering.budget_seconds - (perf_counter() - started)) as budget:
            decision = await _resumed(deciding, waits_for)
    if budget.expired():  # the cancellation was swallowed on the way
        raise TimeoutError
    return decision


@types.coroutine
def _resumed(deciding: Coroutine[object, None, Decision], waits_for: object) -> Generator[object, None, Decision]:
    """What `await` would do, from the second step on: Python awaits no coroutine that has begun."""
    try:
        while True:
            try:
                yield waits_for
            except BaseException as thrown:  # noqa: BLE001 - whatever comes is the decider's to take
                waits_for = deciding.throw(thrown)
            else:
                waits_for = deciding.send(None)
    except StopIteration as decided:
        decision: Decision = decided.value
        return decision


def rpc_handlers(servicer: AuthorizationServicer) -> grpc.GenericRpcHandler:
    """The service for a gRPC server; without serializers, messages arrive and leave as bytes."""
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Check": grpc.unary_unary_rpc_method_handler(servicer.Check)
    }
    return grpc.method_handlers_generic_handler(AUTHORIZATION_SERVICE, methods)


def _shadowed(answering: Answering, deny: Deny, request: RequestContext | None) -> Deny:
    if answering.shadow is None:
        return deny
    try:
        return answering.shadow(deny, request)
    except Exception as exc:  # noqa: BLE001 - a fault of shadow mode is no reason to let anybody in
        _log_failure("check_failed", exc, request)
        return deny


def _refusal(error: BaseException, request: RequestContext | None) -> Deny:
    if isinstance(error, DecodeError) and request is None:  # also a string that is not UTF-8
        return Deny(reason=Reason.INVALID_REQUEST, detail="not a CheckRequest")
    if isinstance(error, Denied):
        return Deny.of(error)
    if isinstance(error, Unavailable):
        return Deny.unavailable(error)
    if isinstance(error, TimeoutError):
        return Deny(reason=Reason.UNAVAILABLE, detail="time budget spent")
    # Also what was cancelled within, but not this call: no reason to fail it.
    _log_failure("check_failed", error, request)
    return Deny(reason=Reason.INTERNAL, detail=type(error).__name__)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _log_failure(event: str, error: BaseException, request: RequestContext | None) -> None:
    # The type and the place only: a message may quote a token. Later: a log that fails must not fail the call.
    name, place = type(error).__name__, _place(error)
    request_id = request.request_id if request is not None else ""
    asyncio.get_running_loop().call_soon(lambda: _log.error(event, error=name, place=place, request_id=request_id))


def _place(exc: BaseException) -> str:
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
