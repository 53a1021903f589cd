import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.catalogs import request

from extauthz.authn.credentials import Credentials
from extauthz.model.api_security import TOKENS_ONLY, ApiKeyPlacement, ApiSecurity
from extauthz.model.check import BearerToken, PresentedApiKey, TokenScheme
from extauthz.model.errors import Denied, Reason


def access_token(header, *, dpop=False):
    return Credentials(max_token_bytes=512, dpop=dpop).presented(request(authorization=header), TOKENS_ONLY)


def token(header):
    return access_token(header).value


@pytest.mark.parametrize("header", ["Bearer abc.d-e_f~g+h/i==", "bearer abc", "BEARER   abc", " Bearer abc "])
def test_a_bearer_token_is_found_whatever_the_case_of_its_scheme(header):
    assert token(header) == header.split()[-1]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Bearer", Reason.INVALID_REQUEST),
        ("Bearer ", Reason.INVALID_REQUEST),
        ("Bearer a,Bearer b", Reason.INVALID_REQUEST),
        ("Bearer a, b", Reason.INVALID_REQUEST),
        ("Basic dXNlcjpwYXNz,Bearer a", Reason.INVALID_REQUEST),
        ("Basic dXNlcjpwYXNz, bearer a", Reason.INVALID_REQUEST),
        (",Bearer a", Reason.INVALID_REQUEST),
        ("Bearer a b", Reason.INVALID_TOKEN),
        ("Bearer a\tb", Reason.INVALID_TOKEN),
        ("Bearer té", Reason.INVALID_TOKEN),
        ("Bearer a\x00", Reason.INVALID_TOKEN),
        ("Bearer =", Reason.INVALID_TOKEN),
        ("Bearer ===", Reason.INVALID_TOKEN),
        ("Bearer a=b", Reason.INVALID_TOKEN),
        ("Bearer a=b=", Reason.INVALID_TOKEN),
        ("Bearer =a", Reason.INVALID_TOKEN),
        ("Bearer\ta", Reason.INVALID_REQUEST),
        ("Bearer " + "a" * 513, Reason.INVALID_TOKEN),
    ],
)
def test_what_is_not_exactly_one_bearer_token_is_refused(header, reason):
    with pytest.raises(Denied) as caught:
        token(header)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "header", [None, "", "Basic dXNlcjpwYXNz", 'Digest username="a", realm="b"', "Bearerabc", "DPoP abc", "DPoP"]
)
def test_a_credential_of_another_scheme_is_none(header):
    assert access_token(header) is None


def test_a_token_of_the_greatest_length_is_accepted():
    assert token("Bearer " + "a" * 512) == "a" * 512


@pytest.mark.parametrize("header", ["DPoP abc.d-e_f~g+h/i==", "dpop abc", "DPOP   abc"])
def test_a_token_of_the_dpop_scheme_is_found_where_that_is_accepted(header):
    found = access_token(header, dpop=True)
    assert (found.value, found.scheme) == (header.split()[-1], TokenScheme.DPOP)


def test_a_bearer_token_keeps_its_scheme_where_dpop_is_accepted():
    assert access_token("Bearer abc", dpop=True).scheme is TokenScheme.BEARER


@pytest.mark.parametrize(
    ("header", "dpop", "reason"),
    [
        ("DPoP", True, Reason.INVALID_REQUEST),
        ("DPoP a,DPoP b", True, Reason.INVALID_REQUEST),
        ("DPoP a,Bearer b", True, Reason.INVALID_REQUEST),
        ("Bearer a,DPoP b", True, Reason.INVALID_REQUEST),
        ("Basic dXNlcjpwYXNz, DPoP a", True, Reason.INVALID_REQUEST),
        ("DPoP a b", True, Reason.INVALID_TOKEN),
    ],
)
def test_what_is_not_exactly_one_token_of_the_dpop_scheme_is_refused(header, dpop, reason):
    with pytest.raises(Denied) as caught:
        access_token(header, dpop=dpop)
    assert caught.value.reason is reason


_SPELLED = re.compile(r"(bearer|dpop)(?: +|\Z)(.*)", re.IGNORECASE | re.DOTALL)
_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@given(
    st.sampled_from(["Bearer", "bEARER", "DPoP", "dpop", "Basic", "Bearer\t", ""]),
    st.sampled_from([" ", "   ", "", "\t", ","]),
    st.text(alphabet="aZ09-._~+/==, \t\n\u00e9\u0130\uff41", max_size=12) | st.text(max_size=6),
)
def test_a_token_is_what_the_grammar_says(scheme, between, rest):
    """RFC 6750 §2.1 as expressions, which are not used where it has to be fast."""
    header = f"{scheme}{between}{rest}"
    spelled = _SPELLED.fullmatch(header.strip(" \t"))
    expected = spelled[2] if spelled and _B64TOKEN.fullmatch(spelled[2]) else None
    try:
        found = access_token(header, dpop=True)
    except Denied:
        found = None
    assert (None if found is None else found.value) == expected


HEADER, QUERY = ApiKeyPlacement(header="x-api-key"), ApiKeyPlacement(query="key")
BOTH = ApiKeyPlacement(header="x-api-key", query="key")
OF_KEY = ApiSecurity(oauth2=False, api_key=BOTH)
OF_EITHER = ApiSecurity(api_key=BOTH)


def presented(security, path="/petstore/v1/pets", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Credentials(max_token_bytes=512, dpop=False).presented(request(path, headers=headers), security)


def key(*of_request, **headers):
    found = presented(OF_KEY, *of_request, **headers)
    assert found is None or isinstance(found, PresentedApiKey)
    return None if found is None else found.value


def test_a_key_is_found_in_the_header_and_in_the_query():
    assert key(x_api_key=" one ") == "one"
    assert key("/petstore/v1/pets?key=one") == "one"
    assert key("/petstore/v1/pets?a=1&key=one&b=2") == "one"
    assert key() is None
    assert key("/petstore/v1/pets?key=one", x_api_key="") == "one"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("key=%6Fne", "one"),
        ("key=%256Fne", "%6Fne"),  # decoded once
        ("key=a+b", "a+b"),
        ("key=a=b", "a=b"),
        ("key=", ""),
        ("key", ""),
        ("KEY=one", None),
        ("Key=one", None),
        ("keys=one", None),
        ("mykey=one", None),
        ("a=key=one", None),
        ("a=1;key=one", None),
        ("k%2565y=one", None),
        ("a?key=one", None),
        ("", None),
        ("&&", None),
    ],
)
def test_the_parameter_has_exactly_its_name_and_its_value_is_decoded_once(query, value):
    assert key(f"/petstore/v1/pets?{query}") == value


def test_what_stands_in_the_path_is_no_parameter():
    assert key("/petstore/v1/key=one") is None


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/pets?key=one&key=two", ""),
        ("/pets?key=one&key=one", ""),
        ("/pets?key=one&key", ""),
        ("/pets?key=one", "one"),
        ("/pets?key=", "one"),
        ("/pets", "one,two"),
        ("/pets", "one,"),
        ("/pets", ","),
    ],
)
def test_more_than_one_key_is_refused_even_the_same_one(path, header):
    with pytest.raises(Denied) as caught:
        key(path, x_api_key=header)
    assert caught.value.reason is Reason.INVALID_REQUEST


@pytest.mark.parametrize("query", ["%6Bey=one", "k%65y=one", "%6b%65%79=one", "key=one&ke%79=two"])
def test_a_parameter_that_envoy_would_not_remove_is_refused(query):
    with pytest.raises(Denied) as caught:
        key(f"/pets?{query}")
    assert caught.value.reason is Reason.INVALID_REQUEST


def test_a_key_is_looked_for_only_where_the_api_says():
    def found(placement):
        return presented(ApiSecurity(oauth2=False, api_key=placement), "/pets?key=one", x_api_key="two")

    assert found(HEADER) == PresentedApiKey(value="two")
    assert found(QUERY) == PresentedApiKey(value="one")


def test_dots_in_the_name_of_a_parameter_are_only_dots():
    security = ApiSecurity(oauth2=False, api_key=ApiKeyPlacement(query="a.b"))
    assert presented(security, "/pets?axb=one") is None
    assert presented(security, "/pets?a.b=one") == PresentedApiKey(value="one")


def test_a_credential_of_a_kind_that_the_api_does_not_accept_is_none():
    assert presented(OF_KEY, authorization="Bearer abc") is None
    assert presented(OF_KEY, authorization="Bearer a,Bearer b") is None
    assert presented(TOKENS_ONLY, "/pets?key=one", x_api_key="one") is None


def test_a_token_and_a_key_together_are_refused_where_both_are_accepted():
    assert presented(OF_EITHER, authorization="Bearer abc") == BearerToken(value="abc")
    assert presented(OF_EITHER, authorization="Basic abc", x_api_key="one") == PresentedApiKey(value="one")
    with pytest.raises(Denied) as caught:
        presented(OF_EITHER, authorization="Bearer abc", x_api_key="one")
    assert caught.value.reason is Reason.INVALID_REQUEST


@pytest.mark.parametrize("flood", ["&" * 60_000, "key%" * 15_000, "%6" * 30_000, "ke&" * 20_000])
def test_a_query_full_of_parameters_is_read_once(flood):
    assert key(f"/pets?{flood}&key=one") == "one"
