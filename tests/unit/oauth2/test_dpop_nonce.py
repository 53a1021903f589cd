import pytest
from hypothesis import given
from hypothesis import strategies as st

from extauthz.oauth2.dpop_nonce import DpopNonces

NOW = 1_700_000_000.0
SECRET, OTHER = b"s" * 32, b"o" * 32
NONCES = DpopNonces([SECRET], lifetime_seconds=300)


@pytest.mark.parametrize(("age", "current"), [(0, True), (300, True), (301, False), (-4, True), (-6, False)])
def test_a_nonce_is_current_for_its_time_and_for_a_replica_that_is_a_little_behind(age, current):
    assert NONCES.is_current(NONCES.issue(NOW), NOW + age) is current


def test_replicas_with_the_same_secret_know_each_others_nonces():
    assert DpopNonces([SECRET], lifetime_seconds=300).is_current(NONCES.issue(NOW), NOW)


def test_a_nonce_of_another_secret_is_none():
    assert not DpopNonces([OTHER], lifetime_seconds=300).is_current(NONCES.issue(NOW), NOW)


def test_an_older_secret_still_checks():
    assert DpopNonces([OTHER, SECRET], lifetime_seconds=300).is_current(NONCES.issue(NOW), NOW)


def test_a_nonce_is_made_of_the_characters_that_the_rfc_allows():
    """RFC 9449 §8.1: NQCHAR."""
    assert all(0x21 <= ord(character) <= 0x7E and character not in '"\\' for character in NONCES.issue(NOW))


@given(st.text(max_size=60))
def test_no_other_text_is_a_nonce(text):
    assert not NONCES.is_current(text, NOW)


@given(st.integers(min_value=0, max_value=31))
def test_a_changed_nonce_is_none(position):
    nonce = NONCES.issue(NOW)
    changed = nonce[:position] + ("A" if nonce[position] != "A" else "B") + nonce[position + 1 :]
    assert not NONCES.is_current(changed, NOW)


@pytest.mark.parametrize("secrets", [[], [b"short"], [SECRET, b"short"]])
def test_a_secret_that_can_be_guessed_is_refused(secrets):
    with pytest.raises(ValueError, match="32 bytes"):
        DpopNonces(secrets, lifetime_seconds=300)
