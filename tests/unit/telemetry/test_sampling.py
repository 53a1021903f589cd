"""Which of many equal events are recorded."""

import pytest

from extauthz.telemetry.sampling import Sampler


class Seconds:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


def taken(sampler, events):
    return [stands_for for _ in range(events) if (stands_for := sampler.take())]


def test_the_first_of_a_second_are_all_taken_and_then_one_of_many(seconds):
    sampler = Sampler(first=3, one_in=4, monotonic=seconds)
    assert [sampler.take() for _ in range(11)] == [1, 1, 1, 0, 0, 0, 4, 0, 0, 0, 4]


def test_each_second_begins_anew(seconds):
    sampler = Sampler(first=2, one_in=100, monotonic=seconds)
    assert taken(sampler, 10) == [1, 1]
    seconds.now = 0.999
    assert taken(sampler, 10) == []
    seconds.now = 1.0
    assert len(taken(sampler, 10)) == 2


def test_nothing_is_lost_from_the_sum(seconds):
    """What was passed over in one second is told by the first line of the next."""
    sampler, sums, events = Sampler(first=2, one_in=10, monotonic=seconds), 0, 0
    for second in range(5):
        seconds.now = float(second)
        sums += sum(taken(sampler, 57 + second))
        events += 57 + second
    seconds.now = 9.0
    assert sums + sampler.take() == events + 1


def test_one_in_one_takes_all(seconds):
    assert taken(Sampler(first=0, one_in=1, monotonic=seconds), 50) == [1] * 50


@pytest.mark.parametrize(("first", "one_in"), [(-1, 1), (0, 0)])
def test_less_than_none_is_refused(seconds, first, one_in):
    with pytest.raises(ValueError, match="at least"):
        Sampler(first=first, one_in=one_in, monotonic=seconds)
