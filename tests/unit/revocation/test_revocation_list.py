"""What a process holds, and when it lets go."""

from dataclasses import replace

import pytest

from extauthz.revocation.revocation import Entry
from extauthz.revocation.revocation_list import RevocationList

ENTRY = Entry(name=b"a", issued_until=100.0, keep_until=2000.0)


class MovedClock:
    def __init__(self):
        self.now = 1000.0
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.now


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def revoked(clock):
    return RevocationList(clock)


def test_an_entry_leaves_at_its_end(revoked, clock):
    revoked.add(ENTRY)
    clock.now = 1999.9
    assert revoked.current().get(b"a") == ENTRY
    clock.now = 2000.0
    assert revoked.current().get(b"a") is None
    assert len(revoked) == 0


def test_what_has_ended_is_not_taken(revoked):
    revoked.add(replace(ENTRY, keep_until=1000.0))
    assert len(revoked) == 0


@pytest.mark.parametrize("second", [ENTRY, replace(ENTRY, issued_until=50.0), replace(ENTRY, keep_until=1500.0)])
def test_an_entry_that_revokes_less_changes_nothing(revoked, clock, second):
    revoked.add(ENTRY)
    revoked.add(second)
    assert revoked.current().get(b"a") == ENTRY
    clock.now = 1600.0
    assert revoked.current().get(b"a") == ENTRY


@pytest.mark.parametrize(
    "second",
    [replace(ENTRY, issued_until=150.0), replace(ENTRY, keep_until=2500.0), replace(ENTRY, issued_until=None)],
)
def test_an_entry_that_revokes_more_is_held_instead(revoked, second):
    revoked.add(ENTRY)
    revoked.add(second)
    assert revoked.entries() == (second,)


def test_a_prolonged_entry_does_not_leave_at_its_first_end(revoked, clock):
    revoked.add(ENTRY)
    revoked.add(replace(ENTRY, keep_until=2500.0))
    clock.now = 2400.0
    assert revoked.current().get(b"a") is not None
    clock.now = 2500.0
    assert revoked.entries() == ()


def test_a_look_costs_the_same_however_many_there_are(revoked, clock):
    """Entries that have not ended are not visited: the clock is read once, and none is dropped."""
    for number in range(10_000):
        revoked.add(Entry(name=str(number).encode(), issued_until=None, keep_until=2000.0 + number))
    clock.asked = 0
    assert revoked.current().get(b"nobody") is None
    assert clock.asked == 1
    clock.now = 7000.0
    assert len(revoked.entries()) == 4999
