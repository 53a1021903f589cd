"""What an upstream may trust."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from support.check_client import OVERWRITES, CheckResponse, allowed, headers_of
from support.deciders import allow, open_allow

from extauthz.backend_jwt.attributes import ATTRIBUTES, attributes_of
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.model.api_key import ApiKey
from extauthz.model.api_security import ApiKeyPlacement, ApiSecurity, RegisteredCertificate
from extauthz.model.header_name import spellings

pytestmark = OVERWRITES

SPELLINGS = {"x-jwt-assertion", "x_jwt-assertion", "x-jwt_assertion", "x_jwt_assertion"}
CERTIFICATE = spellings("x-forwarded-client-cert")
CREDENTIALS = {"authorization", "dpop"} | CERTIFICATE
KEY_AS_X_API_KEY = ApiSecurity(api_key=ApiKeyPlacement(header="x-api-key"))
UPSTREAM = ("X-Caller-Application", "X-Caller-Subject")


def response_to(decision, **policy):
    return CheckResponse.FromString(ResponseBuilder(ResponsePolicy(**policy)).response(decision))


def of_api(decision, **settings):
    """The decision, about an API with other settings."""
    return changed(decision, match=changed(decision.match, api=replace(decision.match.api, **settings)))


def by(**principal):
    """The decision about a caller without a key manager."""
    decision = allow()
    assert decision.access is not None
    caller = changed(decision.access.principal, key_manager=None, **principal)
    return changed(decision, access=changed(decision.access, principal=caller))


def metadata(response):
    return {name: value.string_value for name, value in response.dynamic_metadata.fields.items()}


def test_the_backend_jwt_overwrites_what_the_client_sent():
    assert headers_of(allowed(response_to(allow()))) == {"x-jwt-assertion": "aaa.bbb.ccc"}


def test_other_spellings_of_our_header_are_removed_and_ours_is_not():
    """Envoy removes after it sets."""
    removed = allowed(response_to(allow())).headers_to_remove
    assert set(removed) == (SPELLINGS - {"x-jwt-assertion"}) | CREDENTIALS


@pytest.mark.parametrize("decision", [allow(backend_jwt=None), open_allow()], ids=["no backend JWT", "open resource"])
def test_what_is_not_set_is_removed(decision):
    ok = allowed(response_to(decision))
    assert headers_of(ok) == {}
    assert set(ok.headers_to_remove) == SPELLINGS | CREDENTIALS


def test_an_authorization_that_nobody_has_verified_does_not_go_on():
    """On an open resource, and beside another credential: an upstream would take it for verified."""
    known = allow(forward_authorization=True)
    assert known.access is not None
    principal = changed(known.access.principal, key_manager=None)
    by_key = changed(known, access=changed(known.access, principal=principal))
    for decision in (open_allow(forward_authorization=True), by_key):
        assert set(allowed(response_to(decision)).headers_to_remove) >= CREDENTIALS


def test_authorization_goes_on_where_the_api_wants_it():
    """And the proof that belongs to it."""
    ok = allowed(response_to(allow(forward_authorization=True)))
    assert set(ok.headers_to_remove) >= SPELLINGS - {"x-jwt-assertion"}
    assert not {"authorization", "dpop"} & set(ok.headers_to_remove)


@pytest.mark.parametrize("decision", [allow(), open_allow()])
def test_the_client_certificate_goes_on_where_the_api_wants_it(decision):
    """In the spelling that Envoy gives it: another one is a client's word."""
    ok = allowed(response_to(of_api(decision, forward_client_certificate=True)))
    assert CERTIFICATE & set(ok.headers_to_remove) == CERTIFICATE - {"x-forwarded-client-cert"}


@pytest.mark.parametrize("decision", [allow(), open_allow()])
def test_the_api_key_is_removed_in_every_spelling(decision):
    ok = allowed(response_to(of_api(decision, security=KEY_AS_X_API_KEY)))
    assert set(ok.headers_to_remove) >= {"x-api-key", "x_api-key", "x-api_key", "x_api_key"} | CREDENTIALS
    assert ok.query_parameters_to_remove == []


def test_the_api_key_of_another_api_is_nothing_to_remove():
    builder = ResponseBuilder(ResponsePolicy())
    builder.response(of_api(allow(), security=KEY_AS_X_API_KEY))
    ok = allowed(CheckResponse.FromString(builder.response(allow())))
    assert "x-api-key" not in ok.headers_to_remove


@pytest.mark.parametrize("decision", [allow(), open_allow()])
def test_the_api_key_in_the_query_is_removed_where_the_api_has_one(decision):
    placement = ApiKeyPlacement(query="api_Key")
    ok = allowed(response_to(of_api(decision, security=ApiSecurity(api_key=placement))))
    assert ok.query_parameters_to_remove == ["api_Key"]
    assert allowed(response_to(decision)).query_parameters_to_remove == []


def test_upstream_headers_are_set_and_what_has_no_value_is_removed():
    decision = changed(allow(), headers={"x-caller-application": "app-1"})
    ok = allowed(response_to(decision, upstream_headers=UPSTREAM))
    assert headers_of(ok) == {"x-jwt-assertion": "aaa.bbb.ccc", "x-caller-application": "app-1"}
    owned = spellings("x-caller-application") | spellings("x-caller-subject")
    assert set(ok.headers_to_remove) & owned == owned - {"x-caller-application"}


def test_upstream_headers_are_removed_on_open_resources():
    ok = allowed(response_to(open_allow(), upstream_headers=UPSTREAM))
    assert set(ok.headers_to_remove) >= spellings("x-caller-application") | spellings("x-caller-subject")


@pytest.mark.parametrize("value", ["", "a\r\nx-admin: 1", "ü", "a\x00"])
def test_an_upstream_header_that_is_no_header_value_is_not_sent(value):
    with pytest.raises(ValueError, match="printable ASCII"):
        response_to(changed(allow(), headers={"x-caller-subject": value}), upstream_headers=UPSTREAM)


@pytest.mark.parametrize("header", ["X-JWT-Assertion", "authorization", "Backend_Token", "x-a-b-c-d"])
@pytest.mark.parametrize("decision", [allow(), allow(backend_jwt=None, forward_authorization=True), open_allow()])
def test_no_name_is_both_set_and_removed(header, decision):
    decision = of_api(decision, security=KEY_AS_X_API_KEY)
    for settings in ({}, {"upstream_headers": ("X-API-Key", "X-Caller-Subject")}):
        some = changed(decision, headers=dict.fromkeys(map(str.lower, settings.get("upstream_headers", ())), "v"))
        for each in (decision, some):
            ensure_no_name_twice(allowed(response_to(each, backend_jwt_header=header, **settings)))


def ensure_no_name_twice(ok):
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
        "application_name": "Shop",
        "application_policy": "Unlimited",
        "subscription_policy": "Gold",
        "credential": "token",
        "client_id": "client-1",
        "subject": "alice",
        "key_manager": "okta",
        "key_type": "SANDBOX",
    }


def test_callers_without_a_key_manager_are_known_by_what_they_showed():
    key = ApiKey(id="key-1", hash=b"hash of the key", application="app-1")
    certificate = RegisteredCertificate(thumbprint="t", subject="CN=a", not_before=0, not_after=1)
    with_key, with_certificate = response_to(by(api_key=key)), response_to(by(certificate=certificate))
    assert {metadata(with_key)[name] for name in ("credential", "api_key")} == {"api_key", "key-1"}
    assert metadata(with_certificate)["credential"] == "certificate"
    assert b"hash of the key" not in bytes(with_key)
    assert not {"key_manager", "api_key"} & set(metadata(with_certificate))
    by_extension = metadata(response_to(by()))
    assert by_extension["credential"] == "extension"
    assert "key_manager" not in by_extension


def test_metadata_have_the_names_that_settings_may_use():
    key = ApiKey(id="key-1", hash=b"h", application="app-1")
    assert set(metadata(response_to(allow()))) | set(metadata(response_to(by(api_key=key)))) == ATTRIBUTES


def test_prepared_parts_are_of_this_caller_and_of_this_api():
    """Answers in turn by one builder, each beside what is known of its own request."""
    builder, known = ResponseBuilder(ResponsePolicy()), allow(backend_jwt=None)
    assert known.access is not None
    principal, application = known.access.principal, known.access.application
    assert application is not None
    accesses = [
        known.access,
        changed(known.access, principal=changed(principal, facts=changed(principal.facts, subject="bob"))),
        changed(known.access, principal=changed(principal, facts=changed(principal.facts, subject=None))),
        changed(
            known.access,
            principal=changed(principal, facts=changed(principal.facts, client_id="client-2")),
        ),
        changed(known.access, application=replace(application, policy="Bronze")),
        changed(known.access, key_type=None),
    ]
    seen = []
    for access in accesses * 2:
        expected = {name: value for name, value in attributes_of(access).items() if value}
        for jwt in (None, "aaa.bbb.ccc"):
            decision = changed(known, access=access, backend_jwt=jwt)
            assert metadata(CheckResponse.FromString(builder.response(decision))) == expected
        seen.append(expected)
    assert all(seen.count(each) == 2 for each in seen)


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


@pytest.mark.parametrize("header", ["Host", ":path", "x y", "", "x-a-b-c-d-e-f", "Transfer-Encoding", "X-Envoy-Peer"])
def test_a_header_that_is_not_ours_to_set_is_found_at_the_start(header):
    for policy in ({"backend_jwt_header": header}, {"upstream_headers": (header,)}):
        with pytest.raises(ValueError, match=r"header name|can travel|too many dashes"):
            ResponseBuilder(ResponsePolicy(**policy))


def test_a_decision_is_shown_without_what_the_upstream_alone_is_told():
    shown = repr(changed(allow(), headers={"x-caller-subject": "alice"}))
    assert "aaa.bbb.ccc" not in shown
    assert "alice" not in shown


@pytest.mark.parametrize(
    ("header", "forwarded", "decision"),
    [
        ("authorization", "forward_authorization", allow(backend_jwt=None)),
        ("dpop", "forward_authorization", allow(backend_jwt=None)),
        ("X-Forwarded-Client-Cert", "forward_client_certificate", open_allow()),
    ],
)
def test_a_header_of_ours_is_removed_even_where_the_clients_own_would_go_on(header, forwarded, decision):
    """The upstream takes what stands in it for our word."""
    ok = allowed(response_to(of_api(decision, **{forwarded: True}), backend_jwt_header=header))
    assert header.lower() in ok.headers_to_remove
