"""Whatever happens behind a Check, it is answered, and answered with a refusal."""

import asyncio
import time
from typing import cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from support.check_client import OVERWRITES, CheckResponse, allowed, check_request, denied, headers_of
from support.deciders import Answers, Held, IgnoresCancellation, Raises, allow, open_allow

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.servicer import Answering, AuthorizationServicer
from extauthz.model.check import Deny
from extauthz.model.errors import Denied, Reason, Unavailable

pytestmark = OVERWRITES

REQUEST = bytes(check_request(headers={"x-request-id": "r-1"}))
# attributes { request { http { path: "\xff" } } }: no proto3 string.
NOT_UTF8 = bytes.fromhex("0a07220512032201ff")


def servicer(decider, *, budget_seconds=60.0, on_decision=None):
    return AuthorizationServicer(
        Answering(
            decider=decider,
            responses=ResponseBuilder(ResponsePolicy()),
            budget_seconds=budget_seconds,
            on_decision=on_decision,
        )
    )


async def answer(decider, request=REQUEST, **options):
    return CheckResponse.FromString(await servicer(decider, **options).Check(request))


def reason_of(response):
    """HTTP status and product code."""
    refusal = denied(response)
    assert refusal.status is not None
    return refusal.status.code.value, refusal.body.split('"')[3]


INTERNAL = (500, "900900")
UNAVAILABLE = (503, "900900")
INVALID_REQUEST = (400, "900901")


async def test_an_allowed_request_passes_with_the_backend_jwt():
    assert headers_of(allowed(await answer(Answers(allow())))) == {"x-jwt-assertion": "aaa.bbb.ccc"}


async def test_a_denied_request_does_not_pass():
    assert reason_of(await answer(Answers(Deny(reason=Reason.TOKEN_EXPIRED)))) == (401, "900903")


async def test_a_raised_refusal_keeps_what_the_client_needs_to_know():
    denial = Denied(Reason.INSUFFICIENT_SCOPE, "secret", scopes=frozenset({"read"}))
    response = await answer(Raises(denial))
    assert reason_of(response) == (403, "900910")
    assert headers_of(denied(response))["www-authenticate"].endswith('scope="read"')


async def test_an_outage_is_refused_and_says_when_to_come_back():
    response = await answer(Raises(Unavailable("issuer", "secret", retry_after_seconds=7)))
    assert reason_of(response) == UNAVAILABLE
    assert headers_of(denied(response))["retry-after"] == "7"


@pytest.mark.parametrize("message", [b"", b"\xff\xff\xff", b"GET / HTTP/1.1\r\n", NOT_UTF8, b"\x0a\x02\x22\x00"])
async def test_what_is_no_http_check_is_refused_without_being_decided(message):
    decider = Answers(open_allow())
    assert reason_of(await answer(decider, message)) == INVALID_REQUEST
    assert decider.requests == []


@given(st.binary())
def test_no_message_makes_the_check_fail(message):
    response = asyncio.run(answer(Answers(Deny(reason=Reason.INTERNAL)), message))
    assert reason_of(response) in {INVALID_REQUEST, INTERNAL}


FAULTS = [
    ValueError("token=secret"),
    KeyError("secret"),
    OSError("secret"),
    AssertionError("secret"),
    MemoryError("secret"),
    RecursionError("secret"),
    StopAsyncIteration("secret"),
    ExceptionGroup("secret", [Denied(Reason.INVALID_TOKEN)]),
    asyncio.CancelledError("secret"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_any_fault_is_refused_and_its_message_told_to_no_one(fault):
    with structlog.testing.capture_logs() as logs:
        response = await answer(Raises(fault))
        await asyncio.sleep(0)  # the log is written after the answer
    assert reason_of(response) == INTERNAL
    assert [entry["event"] for entry in logs] == ["check_failed"]
    assert "secret" not in repr(logs) + repr(response)


async def test_a_fault_is_logged_by_type_place_and_request():
    with structlog.testing.capture_logs() as logs:
        await answer(Raises(ValueError("secret")))
        await asyncio.sleep(0)
    [entry] = logs
    assert (entry["error"], entry["request_id"], entry["log_level"]) == ("ValueError", "r-1", "error")
    assert entry["place"].startswith("support.deciders:")


@pytest.mark.parametrize(
    "odd", [None, True, "allow", (), {"allow": True}, Reason.INTERNAL, Deny(reason=cast("Reason", "odd"))]
)
async def test_what_is_no_decision_is_refused(odd):
    assert reason_of(await answer(Answers(odd))) == INTERNAL


async def test_an_answer_that_cannot_be_sent_is_a_refusal():
    assert reason_of(await answer(Answers(allow(backend_jwt="a\r\nx-admin: 1")))) == INTERNAL


async def test_a_decision_that_does_not_come_in_time_is_a_refusal():
    decider = Held(open_allow())
    assert reason_of(await answer(decider, budget_seconds=0.01)) == UNAVAILABLE
    assert decider.cancelled.is_set()


async def test_a_time_out_further_down_is_a_refusal():
    assert reason_of(await answer(Raises(TimeoutError("secret")))) == UNAVAILABLE


async def test_a_decision_that_comes_too_late_is_a_refusal():
    assert reason_of(await answer(IgnoresCancellation(), budget_seconds=0.01)) == UNAVAILABLE


class InSteps:
    """Waits a few times, for nothing and for others, and then lets the request through."""

    async def decide(self, request):
        await asyncio.sleep(0)
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(done.set_result, open_allow())
        decision = await done
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        return decision


async def test_a_decision_may_wait_as_often_as_it_must():
    allowed(await answer(InSteps()))


class RaisesLater(Raises):
    """What a dependency raises once it was waited for."""

    async def decide(self, request):
        await asyncio.sleep(0)
        return await super().decide(request)


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (Denied(Reason.TOKEN_INACTIVE), (401, "900904")),
        (Unavailable("issuer", "secret"), UNAVAILABLE),
        (TimeoutError("secret"), UNAVAILABLE),
        *((fault, INTERNAL) for fault in FAULTS),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_after_a_wait_errors_are_the_same_refusals(error, seen):
    assert reason_of(await answer(RaisesLater(error))) == seen


class WaitsForOthersFirst:
    """Keeps the whole process waiting before it waits itself: the time is gone then."""

    async def decide(self, request):
        time.sleep(0.02)  # noqa: ASYNC251 - what is tested
        await asyncio.sleep(0)
        return open_allow()


async def test_the_time_counts_from_the_start_of_the_check():
    assert reason_of(await answer(WaitsForOthersFirst(), budget_seconds=0.01)) == UNAVAILABLE


class CleansUp(Held):
    """Has something to wait for after it was told to stop, and raises an error of its own then."""

    async def decide(self, request):
        try:
            return await super().decide(request)
        except asyncio.CancelledError as exc:
            await asyncio.sleep(0)
            raise ValueError("secret") from exc


async def test_a_decision_that_cleans_up_when_the_time_is_over_is_a_refusal():
    decider = CleansUp(open_allow())
    assert reason_of(await answer(decider, budget_seconds=0.01)) == INTERNAL
    assert decider.cancelled.is_set()


async def test_a_check_that_nobody_continues_closes_the_decision():
    closed = []

    class Closes:
        async def decide(self, request):
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                closed.append(request.method)

    check = servicer(Closes()).Check(REQUEST)
    check.send(None)
    check.close()
    assert closed == ["GET"]


async def test_a_caller_that_goes_away_stops_the_decision():
    decider = Held(open_allow())
    check = asyncio.create_task(servicer(decider).Check(REQUEST))
    await decider.reached.wait()
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    assert decider.cancelled.is_set()


@pytest.mark.parametrize("budget", [0, -1, float("nan")])
def test_no_time_at_all_is_not_accepted(budget):
    with pytest.raises(ValueError, match="budget_seconds"):
        servicer(Answers(open_allow()), budget_seconds=budget)


class Observed:
    def __init__(self):
        self.decisions = []

    def __call__(self, request, decision, seconds):
        self.decisions.append((request and request.request_id, decision, seconds))


@pytest.mark.parametrize(
    ("decider", "message", "request_id", "reason"),
    [
        (Answers(Deny(reason=Reason.API_BLOCKED)), REQUEST, "r-1", Reason.API_BLOCKED),
        (Raises(Denied(Reason.INVALID_TOKEN)), REQUEST, "r-1", Reason.INVALID_TOKEN),
        (Raises(ValueError()), REQUEST, "r-1", Reason.INTERNAL),
        (Answers(None), REQUEST, "r-1", Reason.INTERNAL),
        (Answers(open_allow()), b"\xff", None, Reason.INVALID_REQUEST),
    ],
)
async def test_every_decision_is_observed_once(decider, message, request_id, reason):
    observed = Observed()
    await answer(decider, message, on_decision=observed)
    [(seen, decision, seconds)] = observed.decisions
    assert (seen, decision.reason) == (request_id, reason)
    assert seconds >= 0


async def test_an_observer_that_fails_does_not_change_the_answer():
    def fails(_request, _decision, _seconds):
        raise ValueError("observer")

    with structlog.testing.capture_logs() as logs:
        allowed(await answer(Answers(allow()), on_decision=fails))
        await asyncio.sleep(0)  # the log is written after the answer
    assert [(line["event"], line["error"]) for line in logs] == [("observer_failed", "ValueError")]
