"""RFC 6750 §3."""

import pytest

from extauthz.envoy.challenge import challenge


def test_a_challenge_without_an_error_names_only_the_realm():
    assert challenge("shop") == 'Bearer realm="shop"'


def test_a_challenge_says_what_is_wrong():
    assert challenge("shop", "invalid_token", "Renew it") == (
        'Bearer realm="shop", error="invalid_token", error_description="Renew it"'
    )


def test_scopes_are_sorted_and_separated_by_spaces():
    assert challenge("r", "insufficient_scope", None, ["write", "admin:x", "read"]).endswith(
        'scope="admin:x read write"'
    )


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "a b", "a\r\nb", "ä", ""])
def test_a_scope_that_the_rfc_does_not_know_is_left_out(scope):
    assert challenge("r", "insufficient_scope", None, [scope]) == 'Bearer realm="r", error="insufficient_scope"'


@pytest.mark.parametrize("realm", ['a"b', "a\\b", "a\nb", "é", "\x7f"])
def test_a_realm_that_needs_an_escape_is_not_accepted(realm):
    with pytest.raises(ValueError, match="printable ASCII"):
        challenge(realm)
