"""Whatever code that is not ours does, the caller gets a refusal, in time."""

import asyncio
import itertools

import pytest

from extauthz.extensions.containment import Containment
from extauthz.model.errors import Denied, Reason, Unavailable

LONG = 60.0
"""Never reached."""


def containment(seconds=LONG):
    return Containment("partner", seconds=seconds)


def raising(error):
    async def call():
        raise error

    return call


async def refusal(call):
    with pytest.raises(Denied) as raised:
        await containment().call(call)
    return raised.value


async def test_what_the_extension_returns_is_returned():
    async def call():
        await asyncio.sleep(0)
        return "answer"

    assert await containment().call(call) == "answer"


@pytest.mark.parametrize(
    "verdict", [Denied(Reason.RESOURCE_FORBIDDEN, "not today", scopes=frozenset({"s"})), Unavailable("partner", "down")]
)
async def test_its_refusal_and_its_missing_dependency_are_its_own(verdict):
    with pytest.raises(type(verdict)) as raised:
        await containment().call(raising(verdict))
    assert raised.value is verdict


@pytest.mark.parametrize(
    "error",
    [ValueError("a secret"), TimeoutError("a secret"), SystemExit("a secret"), KeyboardInterrupt(), GeneratorExit(),
     BaseException("a secret"), asyncio.CancelledError("a secret"), StopIteration()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_any_other_exception_refuses_and_only_its_type_is_told(error):
    denied = await refusal(raising(error))
    assert denied.reason is Reason.INTERNAL
    told = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__  # PEP 479
    assert denied.detail == f"extension partner: {told}"


def denied_without_its_parts():
    denied = Denied(Reason.INVALID_TOKEN)
    del denied.reason
    return denied


@pytest.mark.parametrize(
    "error",
    [
        Denied("because"),  # type: ignore[arg-type]
        Denied(Reason.INVALID_TOKEN, 5),  # type: ignore[arg-type]
        Denied(Reason.INSUFFICIENT_SCOPE, scopes=None),  # type: ignore[arg-type]
        Denied(Reason.INSUFFICIENT_SCOPE, scopes=frozenset({1})),  # type: ignore[arg-type]
        denied_without_its_parts(),
        Unavailable("partner", retry_after_seconds="soon"),  # type: ignore[arg-type]
        Unavailable(None),  # type: ignore[arg-type]
    ],
)
async def test_a_refusal_that_is_none_of_ours_is_a_failure(error):
    assert (await refusal(raising(error))).reason is Reason.INTERNAL


async def test_a_call_that_raises_before_it_can_be_awaited_is_a_failure():
    def call():
        raise LookupError

    assert (await refusal(call)).detail == "extension partner: LookupError"


async def test_a_plain_function_in_place_of_a_coroutine_is_a_failure():
    assert (await refusal(lambda: None)).detail == "extension partner: TypeError"


async def test_a_spent_time_budget_is_told_as_unavailable_and_the_call_is_cancelled():
    cancelled = asyncio.Event()

    async def call():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(Unavailable, match="partner"):
        await containment(seconds=0.001).call(call)
    await cancelled.wait()


async def test_a_call_that_ignores_its_cancellation_is_not_waited_for():
    release, cancellations = asyncio.Event(), itertools.count()

    async def call():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                next(cancellations)
        raise ValueError("seen by nobody")

    with pytest.raises(Unavailable):
        await containment(seconds=0.001).call(call)
    release.set()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left)
    assert next(cancellations) == 1


async def test_the_cancellation_of_a_check_is_passed_on():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def call():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    check = asyncio.create_task(containment().call(call))
    await started.wait()
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    await cancelled.wait()
