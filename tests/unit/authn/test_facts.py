"""What becomes of an issuer's word."""

from typing import Any

import pytest

from extauthz.authn.facts import FactMaker, mapped
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import JwtValidation, KeyManager
from extauthz.model.token import Claims
from extauthz.oauth2.introspection import IntrospectionResponse
from extauthz.oauth2.jwt import SignedClaims

NOW = 1_000_000.0
SAID: dict[str, Any] = {"iss": "https://issuer", "azp": "azp", "client_id": "client", "scope": "a b", "exp": NOW + 600}


def from_jwt(typ="jwt", ttl=300.0, negative=30.0, settings=None, **claims):
    key_manager = KeyManager(id="km", issuer="https://issuer", **{"clock_skew_seconds": 10, **(settings or {})})
    signed = SignedClaims(claims=Claims(SAID | claims), typ=typ, key_thumbprint="key")
    return FactMaker(ttl_seconds=ttl, negative_ttl_seconds=negative).from_jwt(signed, key_manager, NOW)


def from_introspection(ttl=300.0, settings=None, *, active=True, **claims):
    key_manager = KeyManager(id="km", issuer="https://issuer", **{"clock_skew_seconds": 10, **(settings or {})})
    response = IntrospectionResponse(active=active, claims=Claims(SAID | claims))
    return FactMaker(ttl_seconds=ttl, negative_ttl_seconds=30).from_introspection(response, key_manager, NOW)


@pytest.mark.parametrize("make", [from_jwt, from_introspection])
@pytest.mark.parametrize(
    ("exp", "until"), [(NOW + 600, NOW + 300), (NOW + 60, NOW + 70), (NOW - 9.5, NOW + 0.5), (2e9, NOW + 300)]
)
def test_a_fact_is_believed_for_the_cache_time_and_never_past_the_token_and_its_skew(make, exp, until):
    facts = make(exp=exp)
    assert (facts.believe_until, facts.expires_at, facts.refusal) == (until, exp, None)


@pytest.mark.parametrize("make", [from_jwt, from_introspection])
def test_a_token_that_has_ended_is_a_negative_fact(make):
    facts = make(exp=NOW - 10)
    assert (facts.refusal, facts.believe_until, facts.claims) == (Reason.TOKEN_EXPIRED, NOW + 30, {})


@pytest.mark.parametrize("make", [from_jwt, from_introspection])
def test_without_a_time_a_fact_is_right_and_over_at_once(make):
    """So is a cache switched off: the fact serves this Check, and no store keeps it."""
    facts = make(ttl=0.0)
    assert (facts.refusal, facts.believe_until, facts.client_id) == (None, NOW, "azp" if make is from_jwt else "client")


def test_without_a_time_a_refusal_is_over_at_once():
    assert from_jwt(negative=0.0, exp=NOW - 100).believe_until == NOW


def test_an_inactive_token_is_a_negative_fact():
    assert from_introspection(active=False).refusal is Reason.TOKEN_INACTIVE


@pytest.mark.parametrize("make", [from_jwt, from_introspection])
def test_a_token_of_another_kind_is_a_negative_fact(make):
    assert make(token_use="id").refusal is Reason.WRONG_TOKEN_TYPE


def test_a_type_that_the_key_manager_lists_is_accepted():
    jwt = JwtValidation(jwks_uri="https://issuer/jwks", token_types=frozenset({"vnd.acme+jwt"}))
    assert from_jwt("vnd.acme+jwt").refusal is Reason.WRONG_TOKEN_TYPE
    assert from_jwt("vnd.acme+jwt", settings={"jwt": jwt}).refusal is None


@pytest.mark.parametrize("make", [from_jwt, from_introspection])
def test_claims_are_read_under_their_remote_names(make):
    names = {
        "client_id_claim": "cid",
        "scopes_claim": "rights",
        "claim_mapping": {"cid": "consumer", "rights": "scope"},
    }
    facts = make(settings=names, cid="them", rights=["x"])
    assert (facts.client_id, facts.scopes) == ("them", {"x"})
    assert (facts.claims["consumer"], facts.claims["scope"]) == ("them", ["x"])
    assert not {"cid", "rights"} & facts.claims.keys()


@pytest.mark.parametrize(
    ("claims", "mapping", "expected"),
    [
        ({"a": 1, "b": 2}, {}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": "x"}, {"x": 1, "b": 2}),
        ({"a": 1, "x": 2}, {"a": "x"}, {"x": 1}),
        ({"a": 1, "b": 2}, {"a": "b", "b": "a"}, {"a": 2, "b": 1}),
        ({"b": 2}, {"a": "b"}, {"b": 2}),
        ({"a": None}, {"a": "x"}, {"x": None}),
        ({"a": 1}, {"a": "a"}, {"a": 1}),
    ],
)
def test_mapped_claims_change_their_names_at_once(claims, mapping, expected):
    assert mapped(Claims(claims), mapping) == expected


def test_a_jwt_without_end_is_refused():
    with pytest.raises(Denied):
        from_jwt(exp=None)
