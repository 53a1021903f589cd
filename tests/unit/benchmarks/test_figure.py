from typing import Any

import pytest

from benchmarks.figure import Figure, GoalOn, Runs, percentile


def figure(*, floor: float | None = 2.0, **settings: Any):
    return Figure(name="x", value=6.0, unit="us", floor=floor, **settings)


def test_the_ratio_is_value_by_floor():
    assert figure().ratio == 3.0
    assert figure(floor=None).ratio is None


@pytest.mark.parametrize(
    ("settings", "met"),
    [
        ({}, None),
        ({"goal": 6.0}, True),
        ({"goal": 5.9}, False),
        ({"goal": 6.0, "at_least": True}, True),
        ({"goal": 6.1, "at_least": True}, False),
        ({"goal": 3.0, "goal_on": GoalOn.RATIO}, True),
        ({"goal": 2.9, "goal_on": GoalOn.RATIO}, False),
        ({"goal": 3.1, "goal_on": GoalOn.RATIO, "at_least": True}, False),
    ],
)
def test_a_goal_is_on_the_value_or_the_ratio_and_at_most_or_at_least(settings, met):
    assert figure(**settings).met is met


def test_a_goal_on_a_ratio_is_open_while_there_is_no_floor():
    assert figure(floor=None, goal=1.0, goal_on=GoalOn.RATIO).met is None


def test_several_runs_are_told_by_their_median_and_spread():
    runs = Runs(values=(5.0, 1.0, 9.0), floors=(2.0, 4.0, 3.0))
    made = runs.figure("x", "us", goal=1.5)
    assert (made.value, made.floor, made.low, made.high, made.runs) == (5.0, 3.0, 1.0, 9.0, 3)
    assert made.met is False


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent, value):
    assert percentile(range(1, 101), percent) == value


def test_the_99th_percentile_of_a_few_is_the_largest():
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0
