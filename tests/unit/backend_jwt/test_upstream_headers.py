"""Headers beside the backend JWT."""

import pytest
from msgspec.structs import replace as changed
from support.deciders import allow

from extauthz.backend_jwt.header_encoding import as_json, percent, plain
from extauthz.backend_jwt.upstream_headers import MAX_BYTES, UpstreamHeader, UpstreamHeaders
from extauthz.model.errors import Denied, Reason


def access(**claims):
    known = allow().access
    assert known is not None
    principal = changed(known.principal, facts=changed(known.principal.facts, claims=claims))
    return changed(known, principal=principal)


def headers(*wanted, backend_jwt_header="X-JWT-Assertion"):
    return UpstreamHeaders(wanted, backend_jwt_header=backend_jwt_header)


def of_claim(claim, encode=percent, name="X-Caller-Claim"):
    return UpstreamHeader(name=name, claim=claim, encode=encode)


def of_attribute(attribute, name="X-Caller-Attribute"):
    return UpstreamHeader(name=name, attribute=attribute, encode=percent)


def test_claims_and_attributes_become_headers():
    told = headers(of_claim("groups"), of_attribute("subscription_policy"))(access(groups=["a", "b"]))
    assert told == {"x-caller-claim": "a,b", "x-caller-attribute": "Gold"}


@pytest.mark.parametrize("value", [None, "", [], [""]])
def test_nothing_to_say_is_no_header(value):
    assert headers(of_claim("groups"))(access(groups=value)) == {}


def test_an_absent_claim_or_attribute_is_no_header():
    assert headers(of_claim("groups"), of_attribute("api_key"))(access()) == {}


@pytest.mark.parametrize("falsy", [0, False])
def test_zero_and_false_are_something_to_say(falsy):
    assert headers(of_claim("level"))(access(level=falsy)) == {"x-caller-claim": str(falsy).lower()}


def test_a_claim_is_named_by_its_whole_name():
    """Dots are part of it: there is no way into an object."""
    told = headers(of_claim("http://example.com/a.b"))(access(**{"http://example.com/a.b": "c"}))
    assert told == {"x-caller-claim": "c"}
    assert headers(of_claim("a.b"))(access(a={"b": "c"})) == {}


@pytest.mark.parametrize(
    ("value", "encode"),
    [("ü", plain), ({"a": 1}, percent), ("a" * (MAX_BYTES + 1), plain), ("ü" * (MAX_BYTES // 6 + 1), percent)],
)
def test_a_value_that_cannot_be_sent_refuses(value, encode):
    with pytest.raises(Denied) as denied:
        headers(of_claim("name", encode))(access(name=value))
    assert denied.value.reason is Reason.INVALID_TOKEN
    assert str(value) not in denied.value.detail


@pytest.mark.parametrize("text", ["a\r\nb", "ü", "\x00", "a\tb"])
def test_whatever_an_encoding_makes_only_printable_ascii_is_sent(text):
    with pytest.raises(Denied):
        headers(of_claim("name", lambda _value: text))(access(name="x"))


def test_the_longest_value_is_sent():
    value = "a" * MAX_BYTES
    assert headers(of_claim("name", plain))(access(name=value)) == {"x-caller-claim": value}


def test_objects_go_as_json():
    told = headers(of_claim("address", as_json))(access(address={"city": "Köln"}))
    assert told == {"x-caller-claim": '{"city":"K\\u00f6ln"}'}


NOT_OURS = (
    *("Host", "Connection", "Transfer-Encoding", "X-Envoy-Anything", "Authorization", "DPoP", "Cookie"),
    *("X-Forwarded-Client-Cert", "X-Forwarded-For", "x-jwt-assertion", "X-A-B-C-D-E-F"),
)


@pytest.mark.parametrize("name", NOT_OURS)
def test_names_that_are_not_ours_are_found_at_the_start(name):
    with pytest.raises(ValueError, match=r"can travel|another meaning|backend JWT|too many dashes"):
        headers(of_claim("a", name=name))


def test_names_that_an_upstream_cannot_tell_apart_are_found_at_the_start():
    with pytest.raises(ValueError, match="twice"):
        headers(of_claim("a", name="X-Caller"), of_claim("b", name="x-caller"))


def test_an_unknown_attribute_is_found_at_the_start():
    with pytest.raises(ValueError, match="no attribute secret"):
        headers(of_attribute("secret"))
