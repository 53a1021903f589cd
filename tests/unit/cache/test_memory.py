"""The first level."""

from dataclasses import replace

import pytest

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
    memory.put(b"key", replace(GOOD, believe_until=1000.0))

    assert memory.get(b"key") is None


def test_a_fact_without_a_real_end_is_not_held():
    memory = cache()
    memory.put(b"key", replace(GOOD, believe_until=float("nan")))

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


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ValueError, match="-1"):
        cache(entries=-1)
