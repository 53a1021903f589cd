"""Registered claims, scopes and client ids: every type is checked."""

import pytest

from extauthz.model.errors import Denied, Reason
from extauthz.model.token import Claims
from extauthz.oauth2.claims import client_id, registered_claims, scopes


def of(**members) -> Claims:
    return Claims({"exp": 2_000_000_000, **members})


def test_all_registered_claims_are_read():
    claims = registered_claims(of(iss="i", sub="s", aud="a", exp=3, nbf=1, iat=2.5, jti="j"))
    assert (claims.iss, claims.sub, claims.aud, claims.jti) == ("i", "s", frozenset({"a"}), "j")
    assert (claims.exp, claims.nbf, claims.iat) == (3.0, 1.0, 2.5)


def test_absent_and_null_claims_are_none():
    claims = registered_claims(of(iss=None, aud=None, nbf=None))
    assert (claims.iss, claims.sub, claims.aud, claims.nbf, claims.iat) == (None, None, frozenset(), None, None)


@pytest.mark.parametrize("claims", [{}, {"exp": None}])
def test_a_jwt_without_exp_is_refused(claims):
    with pytest.raises(Denied) as denied:
        registered_claims(Claims(claims))
    assert denied.value.reason is Reason.INVALID_TOKEN


def test_an_introspection_answer_may_lack_exp():
    assert registered_claims(Claims({}), exp_required=False).exp is None


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    [True, False, "1700000000", [], {}, float("nan"), float("inf"), float("-inf"), 10**400, -(10**400), 1e300, 2**63],
    ids=lambda value: repr(value)[:12],
)
def test_a_date_that_is_no_sane_number_is_refused(name, value):
    with pytest.raises(Denied) as denied:
        registered_claims(of(**{name: value}))
    assert denied.value.reason is Reason.INVALID_TOKEN
    assert name in denied.value.detail


def test_the_date_of_a_token_that_never_expires_is_read():
    never = 9_223_372_036_854_775
    assert registered_claims(of(exp=never)).exp == float(never)


@pytest.mark.parametrize("name", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", [1, True, ["x"], {}])
def test_a_name_that_is_no_string_is_refused(name, value):
    with pytest.raises(Denied):
        registered_claims(of(**{name: value}))


@pytest.mark.parametrize(("aud", "expected"), [("a", {"a"}), (["a", "b"], {"a", "b"}), ([], set())])
def test_an_audience_is_a_string_or_a_list(aud, expected):
    assert registered_claims(of(aud=aud)).aud == expected


@pytest.mark.parametrize("aud", [1, {}, ["a", 1], [None], [["a"]], True])
def test_an_audience_of_another_type_is_refused(aud):
    with pytest.raises(Denied):
        registered_claims(of(aud=aud))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, set()),
        ({"scope": ""}, set()),
        ({"scope": "read"}, {"read"}),
        ({"scope": "  read\twrite\n read "}, {"read", "write"}),
        ({"scope": ["read", "write"]}, {"read", "write"}),
        ({"scp": "read"}, {"read"}),
        ({"scp": ["read"]}, {"read"}),
        ({"scope": "read", "scp": "admin"}, {"read"}),
        ({"scope": "", "scp": "admin"}, set()),
        ({"scope": None, "scp": "read"}, {"read"}),
        ({"scope": "a\u00a0admin"}, {"a\u00a0admin"}),
    ],
)
def test_scopes_are_a_string_or_a_list_in_scope_or_scp(members, expected):
    assert scopes(of(**members)) == expected


def test_a_named_scope_claim_is_the_only_one_read():
    assert scopes(of(scope="admin", permissions=["read"]), "permissions") == {"read"}
    assert scopes(of(scope="admin"), "permissions") == frozenset()


@pytest.mark.parametrize("value", [1, True, {}, ["read", 1]])
def test_scopes_of_another_type_are_refused(value):
    with pytest.raises(Denied):
        scopes(of(scope=value))


@pytest.mark.parametrize(
    ("members", "claim", "expected"),
    [
        ({"azp": "a", "client_id": "c"}, None, "a"),
        ({"client_id": "c"}, None, "c"),
        ({"azp": None, "client_id": "c"}, None, "c"),
        ({}, None, None),
        ({"azp": ""}, None, None),
        ({"azp": "a", "appid": "x"}, "appid", "x"),
        ({"azp": "a"}, "appid", None),
    ],
)
def test_the_client_id_is_azp_then_client_id_or_the_named_claim(members, claim, expected):
    assert client_id(of(**members), claim) == expected


@pytest.mark.parametrize("value", [1, ["client"], {}, True])
def test_a_client_id_of_another_type_is_refused(value):
    with pytest.raises(Denied):
        client_id(of(azp=value))
