"""The first level."""

import pytest
from msgspec.structs import replace as changed

from extauthz.cache.memory import MemoryCache
from extauthz.model.errors import Reason
from extauthz.model.token import TokenFacts, TokenForm

GOOD = TokenFacts(form=TokenForm.JWT, believe_until=1060.0, subject="alice")
BAD = TokenFacts(form=TokenForm.JWT, believe_until=1030.0, refusal=Reason.TOKEN_EXPIRED)


def cache(clock=lambda: 1000.0, entries=2, negative_entries=2):
    return MemoryCache(entries=entries, negative_entries=negative_entries, clock=clock)


def test_what_was_put_is_got():
    memory = cache()
    memory.put(b"good", GOOD)
    memory.put(b"bad", BAD)

    assert (memory.get(b"good"), memory.get(b"bad"), memory.get(b"other")) == (GOOD, BAD, None)


def test_a_fact_is_believed_until_its_moment_and_not_at_it(clock):
    memory = cache(clock)
    memory.put(b"key", GOOD)

    clock.now = 1059.999
    assert memory.get(b"key") is GOOD
    clock.now = 1060.0
    assert memory.get(b"key") is None
    assert len(memory) == 0


def test_a_fact_that_is_over_is_not_held():
    memory = cache()
    memory.put(b"key", GOOD)
    memory.put(b"key", changed(GOOD, believe_until=1000.0))

    assert memory.get(b"key") is None


def test_a_fact_without_a_real_end_is_not_held():
    memory = cache()
    memory.put(b"key", changed(GOOD, believe_until=float("nan")))

    assert len(memory) == 0


def test_the_least_recently_used_leaves_first():
    memory = cache()
    memory.put(b"1", GOOD)
    memory.put(b"2", GOOD)
    memory.get(b"1")
    memory.put(b"3", GOOD)

    assert [memory.get(key) is not None for key in (b"1", b"2", b"3")] == [True, False, True]


def test_negative_facts_push_out_no_positive_ones():
    memory = cache()
    memory.put(b"good", GOOD)
    for number in range(100):
        memory.put(b"bad%d" % number, BAD)

    assert memory.get(b"good") is GOOD
    assert len(memory) == 3


def test_a_fact_replaces_one_of_the_other_kind():
    memory = cache()
    memory.put(b"key", GOOD)
    memory.put(b"key", BAD)
    assert memory.get(b"key") is BAD
    memory.put(b"key", GOOD)
    assert memory.get(b"key") is GOOD
    assert len(memory) == 1


def test_a_forgotten_fact_is_gone():
    memory = cache()
    memory.put(b"good", GOOD)
    memory.put(b"bad", BAD)
    memory.forget(b"good")
    memory.forget(b"bad")
    memory.forget(b"never seen")

    assert len(memory) == 0


def test_a_limit_of_zero_holds_nothing():
    memory = cache(entries=0, negative_entries=0)
    memory.put(b"good", GOOD)
    memory.put(b"bad", BAD)

    assert len(memory) == 0


def test_a_fact_that_is_over_can_be_had_stale_for_as_long_as_was_said(clock):
    memory = cache(clock)
    memory.put(b"key", GOOD, keep_seconds=30)

    clock.now = 1060.0
    assert memory.get(b"key") is None
    assert memory.stale(b"key") is GOOD
    clock.now = 1089.999
    assert memory.stale(b"key") is GOOD
    clock.now = 1090.0
    assert memory.stale(b"key") is None
    assert memory.get(b"key") is None
    assert len(memory) == 0


def test_without_a_word_nothing_is_stale(clock):
    memory = cache(clock)
    memory.put(b"key", GOOD)

    clock.now = 1060.0
    assert memory.stale(b"key") is None


@pytest.mark.parametrize("later", [BAD, changed(BAD, believe_until=1000.0), changed(GOOD, believe_until=1000.0)])
def test_a_later_answer_ends_what_could_be_stale(clock, later):
    memory = cache(clock)
    memory.put(b"key", GOOD, keep_seconds=1000)
    memory.put(b"key", later)

    clock.now = 1061.0
    assert memory.stale(b"key") is None


def test_a_negative_fact_is_never_stale(clock):
    memory = cache(clock)
    memory.put(b"key", BAD, keep_seconds=1000)

    clock.now = 1031.0
    assert memory.stale(b"key") is None


def test_a_forgotten_fact_is_not_stale_either():
    memory = cache()
    memory.put(b"key", GOOD, keep_seconds=1000)
    memory.forget(b"key")

    assert memory.stale(b"key") is None


def test_facts_that_are_kept_for_later_count_and_leave_like_the_others(clock):
    memory = cache(clock)
    for name in (b"1", b"2", b"3"):
        memory.put(name, GOOD, keep_seconds=1000)

    clock.now = 1061.0
    assert [memory.stale(name) is GOOD for name in (b"1", b"2", b"3")] == [False, True, True]


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ValueError, match="-1"):
        cache(entries=-1)
