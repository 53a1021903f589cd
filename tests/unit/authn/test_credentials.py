import pytest
from support.catalogs import request

from extauthz.authn.credentials import Credentials
from extauthz.model.check import TokenScheme
from extauthz.model.errors import Denied, Reason


def access_token(header, *, dpop=False):
    return Credentials(max_token_bytes=512, dpop=dpop).access_token(request(authorization=header))


def token(header):
    return access_token(header).value


@pytest.mark.parametrize("header", ["Bearer abc.d-e_f~g+h/i==", "bearer abc", "BEARER   abc", " Bearer abc "])
def test_a_bearer_token_is_found_whatever_the_case_of_its_scheme(header):
    assert token(header) == header.split()[-1]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, Reason.MISSING_CREDENTIALS),
        ("", Reason.MISSING_CREDENTIALS),
        ("Basic dXNlcjpwYXNz", Reason.MISSING_CREDENTIALS),
        ('Digest username="a", realm="b"', Reason.MISSING_CREDENTIALS),
        ("Bearerabc", Reason.MISSING_CREDENTIALS),
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
        ("Bearer " + "a" * 513, Reason.INVALID_TOKEN),
    ],
)
def test_what_is_not_exactly_one_bearer_token_is_refused(header, reason):
    with pytest.raises(Denied) as caught:
        token(header)
    assert caught.value.reason is reason


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
        ("DPoP abc", False, Reason.MISSING_CREDENTIALS),
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
