"""The bounded table behind the caches."""

import pytest

from extauthz.cache.recent import Recent


def table(limit, *names):
    recent: Recent[str] = Recent(limit)
    for name in names:
        recent.put(name, name.decode())
    return recent


def held(recent, names=(b"a", b"b", b"c")):
    return [name for name in names if recent.get(name) is not None]


def test_the_least_recently_used_leaves_first():
    recent = table(2, b"a", b"b")
    recent.get(b"a")
    recent.put(b"c", "c")
    assert held(recent) == [b"a", b"c"]


def test_to_put_again_is_a_use():
    recent = table(2, b"a", b"b")
    recent.put(b"a", "other")
    recent.put(b"c", "c")
    assert held(recent) == [b"a", b"c"]
    assert recent.get(b"a") == "other"


def test_what_was_removed_is_gone():
    recent = table(2, b"a")
    recent.remove(b"a")
    recent.remove(b"never there")
    assert (held(recent), len(recent)) == ([], 0)


def test_a_limit_of_zero_holds_nothing():
    assert len(table(0, b"a", b"b")) == 0


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ValueError, match="-1"):
        Recent(-1)
