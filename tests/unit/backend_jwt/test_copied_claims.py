"""Which claims of a token and of its user are copied, and under which names."""

import pytest

from extauthz.backend_jwt.copied_claims import ABOUT_TOKEN, DIALECT_CLAIMS, RESTRICTED, CopiedClaims
from extauthz.model.key_manager import KeyManager

DIALECT = "urn:acme"
ODD = ["a.b", "名前", "o'\"<>", "n" * 200, " ", ""]


def rules(**settings):
    return CopiedClaims(dialect=DIALECT, **settings)


def of_token(claims, key_manager=None, **settings):
    return rules(**settings).of(claims, {}, key_manager)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_copied_as_they_are(name):
    assert of_token({name: 1}) == {name: 1}
    assert of_token({name: 1}, convert=True) == {f"urn:acme/{name}": 1}


def test_a_restricted_name_is_exact():
    claims = {"role": 1, "roles": 2, "Role": 3, "urn:acme/role": 4}
    assert of_token(claims, restricted={"role"}) == {"roles": 2, "Role": 3, "urn:acme/role": 4}


def test_a_uri_has_no_prefix_and_no_other_claim_gets_its_name():
    claims = {"email": "converted", "urn:acme/email": "itself", "https://example.com/x": 1}
    expected = {"urn:acme/email": "itself", "https://example.com/x": 1}
    assert of_token(claims, convert=True) == expected
    assert of_token(dict(reversed(claims.items())), convert=True) == expected


@pytest.mark.parametrize("restricted", ["email", "urn:acme/email"])
def test_a_claim_is_restricted_before_and_after_the_dialect(restricted):
    assert of_token({"email": 1, "name": 2}, convert=True, restricted={restricted}) == {"urn:acme/name": 2}


@pytest.mark.parametrize("restricted", ["upn", "email"])
def test_a_claim_is_restricted_before_and_after_the_claim_mapping(restricted):
    """The mapping has taken place already: the token's `upn` has come as `email`."""
    key_manager = KeyManager(id="km", issuer="https://issuer.example", claim_mapping={"upn": "email"})
    assert of_token({"email": 1, "name": 2}, key_manager, restricted={restricted}) == {"name": 2}


@pytest.mark.parametrize("name", sorted(DIALECT_CLAIMS))
def test_the_dialect_turns_no_claim_into_ours(name):
    assert of_token({name: "forged"}, convert=True) == {}


@pytest.mark.parametrize("name", sorted(RESTRICTED))
def test_a_restricted_claim_does_not_come_back_by_the_dialect(name):
    assert rules(convert=True).of({name: "forged"}, {name: "forged"}) == {}


@pytest.mark.parametrize("name", sorted(ABOUT_TOKEN))
def test_what_is_about_the_token_keeps_its_name_and_is_the_tokens_to_say(name):
    """A user may have typed in what a key manager says about them."""
    for convert in (False, True):
        assert rules(convert=convert).of({}, {name: "forged", "ok:": 1}) == {"ok:": 1}
        assert of_token({name: "said"}, convert=convert) == {name: "said"}


def test_the_token_is_right_about_the_user():
    assert rules().of({"email": "token"}, {"email": "user", "city": "user"}) == {"email": "token", "city": "user"}
    user = {"email": "user", "urn:acme/city": "user"}
    both = rules(convert=True).of({"urn:acme/email": "token", "city": "token"}, user)
    assert both == {"urn:acme/email": "token", "urn:acme/city": "token"}


def test_the_users_claims_know_no_scopes():
    key_manager = KeyManager(id="km", issuer="https://issuer.example", scopes_claim="permissions")
    assert rules().of({}, {"permissions": ["all"], "scope": "all", "email": 1}, key_manager) == {"email": 1}


def test_an_extension_keeps_its_names_but_says_nothing_reserved():
    claims = {"role": 1, "azp": 2, "sub": 3, "urn:acme/tier": 4, "hidden": 5}
    assert rules(convert=True, restricted={"hidden"}).without_reserved(claims) == {"role": 1, "azp": 2}
