"""What an upstream may trust."""

import pytest
from support.check_client import OVERWRITES, CheckResponse, allowed, headers_of
from support.deciders import allow, open_allow

from extauthz.envoy.ok_response import spellings
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy

pytestmark = OVERWRITES

SPELLINGS = {"x-jwt-assertion", "x_jwt-assertion", "x-jwt_assertion", "x_jwt_assertion"}


def response_to(decision, **policy):
    return CheckResponse.FromString(ResponseBuilder(ResponsePolicy(**policy)).response(decision))


def metadata(response):
    return {name: value.string_value for name, value in response.dynamic_metadata.fields.items()}


def test_the_backend_jwt_overwrites_what_the_client_sent():
    assert headers_of(allowed(response_to(allow()))) == {"x-jwt-assertion": "aaa.bbb.ccc"}


def test_other_spellings_of_our_header_are_removed_and_ours_is_not():
    """Envoy removes after it sets."""
    removed = allowed(response_to(allow())).headers_to_remove
    assert set(removed) == (SPELLINGS - {"x-jwt-assertion"}) | {"authorization"}


@pytest.mark.parametrize("decision", [allow(backend_jwt=None), open_allow()], ids=["no backend JWT", "open resource"])
def test_what_is_not_set_is_removed(decision):
    ok = allowed(response_to(decision))
    assert headers_of(ok) == {}
    assert set(ok.headers_to_remove) == SPELLINGS | {"authorization"}


@pytest.mark.parametrize("make", [allow, open_allow])
def test_authorization_goes_on_where_the_api_wants_it(make):
    ok = allowed(response_to(make(forward_authorization=True)))
    assert "authorization" not in ok.headers_to_remove


@pytest.mark.parametrize("header", ["X-JWT-Assertion", "authorization", "Backend_Token", "x-a-b-c-d"])
@pytest.mark.parametrize("decision", [allow(), allow(backend_jwt=None, forward_authorization=True), open_allow()])
def test_no_name_is_both_set_and_removed(header, decision):
    ok = allowed(response_to(decision, backend_jwt_header=header))
    assert not set(headers_of(ok)) & set(ok.headers_to_remove)
    assert len(set(ok.headers_to_remove)) == len(ok.headers_to_remove)


@pytest.mark.parametrize("jwt", ["", "a.b.c\r\nx-admin: 1", "a.b.ü", "a\x00"])
def test_a_backend_jwt_that_is_no_header_value_is_not_sent(jwt):
    with pytest.raises(ValueError, match="printable ASCII"):
        response_to(allow(backend_jwt=jwt))


def test_the_access_log_learns_who_called_what():
    assert metadata(response_to(allow())) == {
        "api_id": "petstore-v1",
        "api_name": "Petstore",
        "api_version": "1.0.0",
        "organization": "acme",
        "resource": "/pets/{petId}",
        "application": "app-1",
        "subscription_policy": "Gold",
        "client_id": "client-1",
        "subject": "alice",
        "key_manager": "okta",
        "key_type": "SANDBOX",
    }


def test_on_an_open_resource_only_the_api_is_known():
    assert set(metadata(response_to(open_allow()))) == {
        "api_id",
        "api_name",
        "api_version",
        "organization",
        "resource",
    }


def test_the_deprecated_metadata_field_stays_empty():
    """Envoy lets it override the other."""
    assert allowed(response_to(allow())).__dict__["dynamic_metadata"] is None


def test_names_have_every_spelling_that_cgi_folds():
    assert spellings("x-jwt-assertion") == SPELLINGS


@pytest.mark.parametrize("header", ["Host", ":path", "x y", "", "x-a-b-c-d-e-f", "Transfer-Encoding"])
def test_a_header_that_is_not_ours_to_set_is_found_at_the_start(header):
    with pytest.raises(ValueError, match=r"header name|cannot travel|too many dashes"):
        ResponseBuilder(ResponsePolicy(backend_jwt_header=header))
