"""One call for everybody who wants the same."""

import asyncio
import gc

import pytest

from extauthz.cache.single_flight import SingleFlight
from extauthz.model.errors import Denied, Reason, Unavailable


class Call:
    """A call that a test lets end."""

    def __init__(self) -> None:
        self.started = 0
        self.running = asyncio.Event()
        self.end = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.started += 1
        self.running.set()
        await self.end.wait()
        if self.error is not None:
            raise self.error
        return self.started


@pytest.fixture
async def call():
    return Call()


@pytest.fixture
async def flights():
    flights: SingleFlight[int] = SingleFlight("test")
    yield flights
    await flights.close()


async def test_everybody_gets_the_outcome_of_one_call(flights, call):
    waiting = [asyncio.create_task(flights.join(b"key", call)) for _ in range(10)]
    await call.running.wait()
    call.end.set()

    assert await asyncio.gather(*waiting) == [1] * 10


async def test_other_keys_have_calls_of_their_own(flights, call):
    call.end.set()

    await asyncio.gather(flights.join(b"1", call), flights.join(b"2", call))
    assert call.started == 2


async def test_who_comes_after_the_landing_starts_anew(flights, call):
    call.end.set()

    assert [await flights.join(b"key", call), await flights.join(b"key", call)] == [1, 2]


async def test_the_first_caller_may_leave(flights, call):
    first = asyncio.create_task(flights.join(b"key", call))
    await call.running.wait()
    second = asyncio.create_task(flights.join(b"key", call))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    call.end.set()

    assert await second == 1


async def test_everybody_gets_the_exception_and_the_next_call_starts_anew(flights, call):
    call.error = Denied(Reason.INVALID_TOKEN)
    call.end.set()
    outcomes = await asyncio.gather(*(flights.join(b"key", call) for _ in range(3)), return_exceptions=True)
    call.error = None

    assert outcomes == [outcomes[0]] * 3
    assert isinstance(outcomes[0], Denied)
    assert await flights.join(b"key", call) == 2


async def test_an_exception_that_nobody_waits_for_makes_no_noise(flights, call):
    noise: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    call.error = Denied(Reason.INVALID_TOKEN)
    only = asyncio.create_task(flights.join(b"key", call))
    await call.running.wait()
    only.cancel()
    await asyncio.wait({only})
    call.end.set()
    for _ in range(5):  # turns of the loop: the call ends and is let go
        await asyncio.sleep(0)
    del only  # its traceback holds the call
    gc.collect()

    assert noise == []


async def test_a_forgotten_call_still_serves_those_who_wait(flights, call):
    old = asyncio.create_task(flights.join(b"key", call))
    await call.running.wait()
    flights.forget(b"key")
    new = asyncio.create_task(flights.join(b"key", call))
    call.end.set()

    await asyncio.gather(old, new)
    assert call.started == 2


async def test_a_call_knows_that_it_was_forgotten(flights):
    current = []

    async def call() -> int:
        current.append(flights.is_current(b"key"))
        flights.forget(b"key")
        current.append(flights.is_current(b"key"))
        return 0

    await flights.join(b"key", call)

    assert current == [True, False]


async def test_closing_cancels_every_call_and_tells_who_waits(flights, call):
    waiting = [asyncio.create_task(flights.join(b"key", call)) for _ in range(2)]
    await call.running.wait()
    flights.forget(b"key")
    await flights.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]


async def test_closing_tells_who_waits_for_a_call_that_has_not_begun(flights, call):
    waiting = asyncio.create_task(flights.join(b"key", call))
    await asyncio.sleep(0)  # it has joined, and the call's own turn comes next
    await flights.close()

    with pytest.raises(Unavailable):
        await waiting
    assert call.started == 0


async def test_nothing_starts_after_closing(flights, call):
    await flights.close()

    with pytest.raises(Unavailable):
        await flights.join(b"key", call)
    assert call.started == 0
