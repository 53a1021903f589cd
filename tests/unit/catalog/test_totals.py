"""The sums by which a missing or an older entry shows."""

from extauthz.catalog.changes import Change, Identity, Kind
from extauthz.catalog.store import Stored, StoredChange, Total
from extauthz.catalog.totals import TOTAL_BYTES, reduced, totals, totals_after, weight
from extauthz.model.subscription import Subscription

NEAR_THE_END = bytes([255] * 32)


def change(api, *, gone=False):
    entity = Subscription(id=api, application="app", api=api)
    identity = Identity(kind=Kind.SUBSCRIPTION, organization="default", id=f"app {api}")
    return Change(identity=identity, entity=None if gone else entity)


def stored(api, tag):
    identity, entity = change(api)
    return Stored(identity.kind, identity.name, entity, revision=1, tag=tag)


def test_every_kind_has_a_total():
    assert totals([]) == dict.fromkeys(Kind, Total())


def test_totals_are_the_same_in_any_order_and_tell_one_tag_from_another():
    one, other = stored("a", b"5"), stored("b", b"7")
    assert totals([one, other]) == totals([other, one])
    assert totals([one, other])[Kind.SUBSCRIPTION] == reduced(2, weight(b"5") + weight(b"7"))
    assert totals([one, stored("b", b"8")]) != totals([one, other])


def test_sums_go_round():
    assert reduced(1, 1 << 8 * TOTAL_BYTES) == Total(count=1, tags=0)
    assert reduced(1, -1).tags == (1 << 8 * TOTAL_BYTES) - 1


def test_what_the_tags_come_to_says_nothing_about_other_tags_that_come_to_the_same():
    """Plain sums would: 5 + 7 is 4 + 8."""
    assert totals([stored("a", b"4"), stored("b", b"8")]) != totals([stored("a", b"5"), stored("b", b"7")])
    assert weight(b"5").bit_length() > 8 * TOTAL_BYTES - 64


def test_totals_after_changes_are_those_of_what_is_there_then():
    before = totals([stored("a", b"5"), stored("b", NEAR_THE_END)])
    changes = [
        StoredChange(change=change("a"), tag=b"6", former_tag=b"5"),
        StoredChange(change=change("b", gone=True), tag=b"", former_tag=NEAR_THE_END),
        StoredChange(change=change("c"), tag=b"9", former_tag=b""),
    ]
    assert totals_after(before, changes) == totals([stored("a", b"6"), stored("c", b"9")])
    assert before == totals([stored("a", b"5"), stored("b", NEAR_THE_END)])
