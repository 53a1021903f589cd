"""RFC 6750 §3, RFC 9449 §7."""

import pytest

from extauthz.envoy.challenge import Challenger

SHOP = Challenger("shop")
BOTH = Challenger("shop", {"ES256", "EdDSA"})


def test_a_challenge_without_an_error_names_only_the_realm():
    assert SHOP.challenge() == 'Bearer realm="shop"'


def test_a_challenge_says_what_is_wrong():
    assert SHOP.challenge("invalid_token", "Renew it") == (
        'Bearer realm="shop", error="invalid_token", error_description="Renew it"'
    )


def test_scopes_are_sorted_and_separated_by_spaces():
    assert SHOP.challenge("insufficient_scope", None, ["write", "admin:x", "read"]).endswith(
        'scope="admin:x read write"'
    )


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "a b", "a\r\nb", "ä", ""])
def test_a_scope_that_the_rfc_does_not_know_is_left_out(scope):
    assert SHOP.challenge("insufficient_scope", None, [scope]) == 'Bearer realm="shop", error="insufficient_scope"'


@pytest.mark.parametrize("realm", ['a"b', "a\\b", "a\nb", "é", "\x7f"])
def test_a_realm_that_needs_an_escape_is_not_accepted(realm):
    with pytest.raises(ValueError, match="printable ASCII"):
        Challenger(realm)


def test_with_dpop_both_schemes_are_offered():
    assert BOTH.challenge() == 'Bearer realm="shop", DPoP realm="shop", algs="ES256 EdDSA"'


def test_with_dpop_each_scheme_tells_the_error():
    assert BOTH.challenge("invalid_token") == (
        'Bearer realm="shop", error="invalid_token", DPoP realm="shop", error="invalid_token", algs="ES256 EdDSA"'
    )


def test_a_wrong_proof_is_told_to_the_scheme_that_has_proofs():
    assert BOTH.challenge("invalid_dpop_proof", dpop_only=True) == (
        'DPoP realm="shop", error="invalid_dpop_proof", algs="ES256 EdDSA"'
    )
