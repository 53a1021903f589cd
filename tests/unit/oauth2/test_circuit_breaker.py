"""The circuit breaker: when it opens, who may try, and what closes it."""

import asyncio

import pytest

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.circuit_breaker import CircuitBreaker


class ManualClock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker("introspection", failures=3, open_seconds=5, clock=clock)


def fail(breaker: CircuitBreaker) -> None:
    with pytest.raises(Unavailable, match="broken"), breaker.attempt():
        raise Unavailable("introspection", "broken")


def succeed(breaker: CircuitBreaker) -> None:
    with breaker.attempt():
        pass


def refused(breaker: CircuitBreaker) -> Unavailable:
    with pytest.raises(Unavailable, match="left alone after") as unavailable, breaker.attempt():
        pytest.fail("a call was made")
    with pytest.raises(Unavailable, match="left alone after"):
        breaker.ensure_passable()
    return unavailable.value


def opened(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        fail(breaker)


def fail_late(breaker: CircuitBreaker, clock: ManualClock) -> None:
    """A call that is overtaken by the failures of others, and fails four seconds after them."""
    with breaker.attempt():
        opened(breaker)
        clock.now += 4
        raise Unavailable("introspection", "late")


def test_it_opens_after_so_many_failures_in_a_row(breaker):
    fail(breaker)
    fail(breaker)
    breaker.ensure_passable()
    fail(breaker)
    assert refused(breaker).retry_after_seconds == 5


def test_a_success_between_failures_starts_the_count_anew(breaker):
    fail(breaker)
    fail(breaker)
    succeed(breaker)
    fail(breaker)
    fail(breaker)
    breaker.ensure_passable()


def test_it_stays_open_for_its_time_and_says_how_long(breaker, clock):
    opened(breaker)
    clock.now += 4.5
    assert refused(breaker).retry_after_seconds == 1


def test_then_one_call_tries_and_its_success_closes_it(breaker, clock):
    opened(breaker)
    clock.now += 5
    with breaker.attempt():
        refused(breaker)
    fail(breaker)
    fail(breaker)
    breaker.ensure_passable()


def test_a_trial_that_fails_opens_it_again_for_the_whole_time(breaker, clock):
    opened(breaker)
    clock.now += 5
    fail(breaker)
    clock.now += 4.9
    refused(breaker)
    clock.now += 0.2
    succeed(breaker)
    succeed(breaker)


def test_a_cancelled_trial_proves_nothing_and_the_next_call_tries(breaker, clock):
    opened(breaker)
    clock.now += 5
    with pytest.raises(asyncio.CancelledError), breaker.attempt():
        raise asyncio.CancelledError
    with breaker.attempt():
        refused(breaker)
    breaker.ensure_passable()


def test_a_verdict_about_a_token_is_no_failure_of_the_endpoint(breaker):
    for _ in range(3):
        with pytest.raises(Denied), breaker.attempt():
            raise Denied(Reason.INVALID_TOKEN)
    breaker.ensure_passable()


def test_what_began_before_it_opened_neither_closes_it_nor_keeps_it_open_longer(breaker, clock):
    with breaker.attempt():
        opened(breaker)
    refused(breaker)
    clock.now += 5
    succeed(breaker)
    with pytest.raises(Unavailable, match="late"):
        fail_late(breaker, clock)
    clock.now += 1
    breaker.ensure_passable()


def test_a_clock_that_goes_back_does_not_keep_it_open(breaker, clock):
    opened(breaker)
    clock.now -= 3600
    succeed(breaker)


def test_its_representation_tells_its_state(breaker):
    assert "closed" in repr(breaker)
    opened(breaker)
    assert "open" in repr(breaker)
