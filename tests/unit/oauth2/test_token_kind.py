"""Tokens that their issuer signed for something else than access."""

import pytest

from extauthz.model.token import Claims
from extauthz.oauth2.token_kind import other_kind

# ID tokens of Microsoft Entra, Okta and Keycloak, and access tokens, cut down to what tells them apart.
ENTRA_ID = {"aud": "client", "nonce": "n", "sub": "s", "oid": "o", "preferred_username": "p", "ver": "2.0"}
OKTA_ID = {"aud": "client", "sub": "s", "at_hash": "h", "auth_time": 1}
KEYCLOAK_ID = {"typ": "ID", "azp": "client", "sub": "s", "sid": "x"}
KEYCLOAK_ACCESS = {"typ": "Bearer", "azp": "client", "scope": "openid", "nonce": "n"}
ENTRA_ACCESS = {"aud": "api", "azp": "client", "scp": "read", "ver": "2.0"}
COGNITO_ACCESS = {"token_use": "access", "client_id": "c", "scope": "read"}


@pytest.mark.parametrize(
    ("typ", "claims"),
    [
        ("rt+jwt", {}),
        ("logout+jwt", {"events": {}}),
        ("dpop+jwt", {"htm": "GET"}),
        ("token-introspection+jwt", {"token_introspection": {}}),
        ("secevent+jwt", {}),
        ("id_token+jwt", {}),
        ("jwt", ENTRA_ID),
        (None, ENTRA_ID),
        ("jwt", OKTA_ID),
        ("jwt", {"c_hash": "h", "scope": "openid"}),
        ("jwt", {"s_hash": "h", "scope": "openid"}),
        ("jwt", KEYCLOAK_ID),
        ("jwt", {"typ": "Refresh", "azp": "client", "scope": "read"}),
        ("jwt", {"typ": "Offline", "scope": "read"}),
        ("jwt", {"typ": "Logout"}),
        ("jwt", {"token_use": "id"}),
        ("jwt", {"tokenName": "refresh_token", "scope": ["read"]}),
        ("jwt", {"tokenName": "id_token"}),
        ("jwt", {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sub": "s"}),
        (None, {"token_type": "refresh_token", "scope": "read"}),
        (None, {"token_type": "Refresh", "scope": "read"}),
        ("at+jwt", {"typ": "Refresh"}),
    ],
)
def test_what_is_no_access_token_is_told(typ, claims):
    assert other_kind(typ, Claims(claims)) is not None


@pytest.mark.parametrize(
    ("typ", "claims"),
    [
        (None, {}),
        ("jwt", {"scope": "read"}),
        ("at+jwt", {"scope": "read"}),
        ("at+jwt", {"nonce": "n", "sub": "s"}),
        ("jwt", KEYCLOAK_ACCESS),
        ("jwt", ENTRA_ACCESS),
        ("jwt", ENTRA_ACCESS | {"nonce": "n"}),
        ("jwt", COGNITO_ACCESS),
        ("jwt", {"tokenName": "access_token", "nonce": "n", "scope": ["read"]}),
        (None, {"token_type": "Bearer", "scope": "read"}),
        (None, {"token_type": "DPoP", "client_id": "c"}),
        ("jwt", {"typ": 7, "token_use": None, "tokenName": ["id_token"], "client_id": "c"}),
        ("jose", {"sid": "x", "auth_time": 1, "acr": "1"}),
    ],
)
def test_what_may_be_an_access_token_is_let_through(typ, claims):
    assert other_kind(typ, Claims(claims)) is None


def test_a_type_that_the_operator_names_is_an_access_token():
    assert other_kind("vnd.acme.access+jwt", Claims({})) is not None
    assert other_kind("vnd.acme.access+jwt", Claims({}), accepted_types=frozenset({"vnd.acme.access+jwt"})) is None


def test_scopes_under_another_name_are_a_sign_of_authorization():
    claims = Claims({"nonce": "n", "permissions": ["read"]})
    assert other_kind("jwt", claims) is not None
    assert other_kind("jwt", claims, scopes_claim="permissions") is None


def test_what_is_said_repeats_nothing_that_the_sender_chose():
    assert "secret" not in (other_kind("my.secret+jwt", Claims({})) or "")
    assert "secret" not in (other_kind("x+my secret", Claims({})) or "")
