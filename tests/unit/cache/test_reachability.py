"""When to ask again a dependency that did not answer."""

import pytest

from extauthz.cache.reachability import Reachability


class Report:
    def __init__(self) -> None:
        self.said: list[bool] = []

    def __call__(self, *, reachable: bool) -> None:
        self.said.append(reachable)


@pytest.fixture
def report():
    return Report()


@pytest.fixture
def reachability(clock, report):
    return Reachability(back_off_seconds=1.0, monotonic=clock, health=report)


def test_it_is_asked_before_anything_is_known(reachability, report):
    assert reachability.may_try()
    assert report.said == []


def test_after_a_failure_nobody_asks_until_the_back_off_is_over(reachability, clock):
    reachability.failed()
    clock.now += 0.999
    assert not reachability.may_try()
    clock.now += 0.001
    assert reachability.may_try()


def test_in_an_outage_one_caller_tries_each_back_off(reachability, clock):
    reachability.failed()
    clock.now += 1.0

    assert [reachability.may_try() for _ in range(3)] == [True, False, False]
    clock.now += 1.0
    assert reachability.may_try()


def test_after_an_answer_everybody_asks(reachability, clock):
    reachability.failed()
    clock.now += 1.0
    reachability.succeeded()

    assert [reachability.may_try() for _ in range(3)] == [True, True, True]


def test_only_changes_are_reported(reachability, report):
    for outcome in (reachability.succeeded, reachability.failed):
        outcome()
        outcome()
    reachability.succeeded()

    assert report.said == [True, False, True]
