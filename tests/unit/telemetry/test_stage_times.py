"""Which Checks are timed, and what is told of their stages."""

import pytest
from support.catalogs import request

from extauthz.telemetry.stage_times import UNTIMED, CheckTimes, StageSampling

REQUEST = request()


def test_the_first_check_is_timed_and_then_one_in_so_many():
    sampling = StageSampling(lambda *_: None, one_in=3)
    assert [sampling(REQUEST) is not UNTIMED for _ in range(7)] == [True, False, False] * 2 + [True]


def test_every_check_can_be_timed():
    sampling = StageSampling(lambda *_: None, one_in=1)
    assert all(sampling(REQUEST) is not UNTIMED for _ in range(3))


def test_one_in_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        StageSampling(lambda *_: None, one_in=0)


def test_each_stage_that_there_was_is_told_when_the_check_is_over():
    told = []
    times = StageSampling(lambda *stage: told.append(stage), one_in=1)(REQUEST)
    times.stage_over()
    times.stage_over()
    assert told == []
    times.over()
    assert [name for name, _ in told] == ["match", "authenticate", "authorize"]
    assert all(seconds >= 0 for _, seconds in told)


def test_stages_follow_each_other_without_a_gap():
    times = CheckTimes()
    for _ in range(3):
        times.stage_over()
    times.over()
    stages = list(times.stages())
    assert [name for name, _, _ in stages] == ["match", "authenticate", "authorize", "upstream"]
    assert [begin for _, begin, _ in stages] == [times.began, *[end for _, _, end in stages[:-1]]]


def test_what_is_timed_for_a_trace_is_counted_only_in_its_turn():
    """Else clients that ask for traces would choose what the metrics show."""
    told = []
    sampling = StageSampling(lambda name, _: told.append(name), one_in=3)
    for _ in range(6):
        times = sampling.traced()
        times.over()
        assert len(list(times.stages())) == 1
    assert told == ["match", "match"]
