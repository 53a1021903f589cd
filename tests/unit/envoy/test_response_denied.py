"""The one table of refusals, walked row by row in every form."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.check_client import OVERWRITES, CheckResponse, denied, headers_of

from extauthz.envoy.refusals import REFUSALS
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.model.api import Api
from extauthz.model.check import Deny
from extauthz.model.cors import Cors
from extauthz.model.errors import ErrorFormat, Reason

pytestmark = OVERWRITES

# Written out once more, from the architecture's table: reason, code, message, HTTP, status.code, challenge.
TABLE = [
    ("missing_credentials", "900902", "Missing Credentials", 401, 16, ""),
    ("invalid_request", "900901", "Invalid Credentials", 400, 3, "invalid_request"),
    ("invalid_token", "900901", "Invalid Credentials", 401, 16, "invalid_token"),
    ("token_expired", "900903", "Access Token Expired", 401, 16, "invalid_token"),
    ("token_inactive", "900904", "Access Token Inactive", 401, 16, "invalid_token"),
    ("wrong_token_type", "900905", "Incorrect Access Token Type is provided", 401, 16, "invalid_token"),
    ("invalid_dpop_proof", "900901", "Invalid Credentials", 401, 16, "invalid_dpop_proof"),
    ("use_dpop_nonce", "900901", "Invalid Credentials", 401, 16, "use_dpop_nonce"),
    ("no_matching_api", "404", "Not Found", 404, 5, None),
    ("no_matching_resource", "900906", "No matching resource found in the API for the given request", 404, 5, None),
    ("method_not_allowed", "405", "Method Not Allowed", 405, 7, None),
    ("subscription_blocked", "900907", "The requested API is temporarily blocked", 403, 7, None),
    ("resource_forbidden", "900908", "Resource forbidden", 403, 7, None),
    ("subscription_inactive", "900909", "The subscription to the API is inactive", 403, 7, None),
    (
        "insufficient_scope",
        "900910",
        "The access token does not allow you to access the requested resource",
        403,
        7,
        "insufficient_scope",
    ),
    ("api_audience", "900914", "The access token is not meant for this API", 403, 7, None),
    ("api_blocked", "700700", "API blocked", 503, 14, None),
    ("unavailable", "900900", "Unclassified Authentication Failure", 503, 14, None),
    ("internal", "900900", "Unclassified Authentication Failure", 500, 13, None),
]
ROWS = pytest.mark.parametrize(
    ("reason", "code", "message", "status", "grpc_code", "challenge"), TABLE, ids=[row[0] for row in TABLE]
)


def response_to(deny, **policy):
    builder = ResponseBuilder(ResponsePolicy(realm="shop", **policy))
    return CheckResponse.FromString(builder.response(deny))


def test_every_reason_has_a_row_in_the_table_and_in_the_test():
    assert set(REFUSALS) == set(Reason) == {Reason(row[0]) for row in TABLE}


@ROWS
def test_status_and_api_manager_body(reason, code, message, status, grpc_code, challenge):
    response = response_to(Deny(reason=Reason(reason)))
    refusal = denied(response)
    body = json.loads(refusal.body)
    assert response.status is not None
    assert response.status.code == grpc_code
    assert refusal.status is not None
    assert refusal.status.code.value == status
    assert headers_of(refusal)["content-type"] == "application/json"
    assert body == {"code": code, "message": message, "description": body["description"]}
    assert body["description"]


@ROWS
def test_microgateway_body(reason, code, message, status, grpc_code, challenge):
    refusal = denied(response_to(Deny(reason=Reason(reason)), error_format=ErrorFormat.FAULT))
    fault = json.loads(refusal.body)["fault"]
    assert headers_of(refusal)["content-type"] == "application/json"
    assert fault == {"code": int(code), "message": message, "description": fault["description"]}


@ROWS
def test_problem_details_body(reason, code, message, status, grpc_code, challenge):
    refusal = denied(response_to(Deny(reason=Reason(reason)), error_format=ErrorFormat.PROBLEM))
    problem = json.loads(refusal.body)
    assert headers_of(refusal)["content-type"] == "application/problem+json"
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert (problem["code"], problem["message"]) == (code, message)
    assert set(problem) == {"type", "title", "status", "detail", "code", "message"}


@ROWS
def test_challenge(reason, code, message, status, grpc_code, challenge):
    value = headers_of(denied(response_to(Deny(reason=Reason(reason))))).get("www-authenticate")
    if challenge is None:
        assert value is None
    elif challenge == "":
        assert value == 'Bearer realm="shop"'
    else:
        assert value is not None
        scheme = "DPoP" if "dpop" in reason else "Bearer"
        assert value.startswith(f'{scheme} realm="shop", error="{challenge}", error_description="')


@ROWS
def test_challenge_where_dpop_is_accepted(reason, code, message, status, grpc_code, challenge):
    refusal = denied(response_to(Deny(reason=Reason(reason)), dpop_algorithms=frozenset({"PS256", "ES256"})))
    value = headers_of(refusal).get("www-authenticate")
    if challenge is None:
        assert value is None
    else:
        assert value is not None
        assert value.endswith('algs="ES256 PS256"')
        assert value.count("DPoP realm=") == 1
        assert value.count("Bearer realm=") == (0 if "dpop" in reason else 1)


def test_the_nonce_to_use_is_told():
    refusal = denied(response_to(Deny(reason=Reason.USE_DPOP_NONCE, dpop_nonce="n0nce")))
    assert headers_of(refusal)["dpop-nonce"] == "n0nce"


def test_a_nonce_is_told_for_no_other_reason():
    refusal = denied(response_to(Deny(reason=Reason.INVALID_DPOP_PROOF, dpop_nonce="n0nce")))
    assert "dpop-nonce" not in headers_of(refusal)


def test_the_scopes_that_would_have_done_are_named():
    refusal = denied(response_to(Deny(reason=Reason.INSUFFICIENT_SCOPE, scopes=frozenset({"write", "read"}))))
    assert headers_of(refusal)["www-authenticate"].endswith(', scope="read write"')


def test_scopes_are_named_for_no_other_reason():
    refusal = denied(response_to(Deny(reason=Reason.INVALID_TOKEN, scopes=frozenset({"read"}))))
    assert "scope" not in headers_of(refusal)["www-authenticate"]


def test_the_methods_that_the_resource_knows_are_named():
    refusal = denied(response_to(Deny(reason=Reason.METHOD_NOT_ALLOWED, methods=frozenset({"PUT", "GET", "B\r\nAD"}))))
    assert headers_of(refusal)["allow"] == "GET, PUT"


def test_methods_are_named_for_no_other_reason():
    refusal = denied(response_to(Deny(reason=Reason.NO_MATCHING_RESOURCE, methods=frozenset({"GET"}))))
    assert "allow" not in headers_of(refusal)


@pytest.mark.parametrize(("seconds", "value"), [(None, "1"), (30, "30"), (0, "0"), (-5, "0")])
def test_an_outage_says_when_to_come_back(seconds, value):
    refusal = denied(response_to(Deny(reason=Reason.UNAVAILABLE, retry_after_seconds=seconds)))
    assert headers_of(refusal)["retry-after"] == value


def test_a_blocked_api_says_when_to_come_back_only_if_that_is_known():
    known = Deny(reason=Reason.API_BLOCKED, retry_after_seconds=60)
    assert headers_of(denied(response_to(known)))["retry-after"] == "60"
    assert "retry-after" not in headers_of(denied(response_to(Deny(reason=Reason.API_BLOCKED))))


def test_a_refusal_other_than_503_does_not_say_when_to_come_back():
    refusal = denied(response_to(Deny(reason=Reason.INTERNAL, retry_after_seconds=60)))
    assert "retry-after" not in headers_of(refusal)


def to_browser(reason, allow_origin, cors, **settings):
    """The headers of a refusal to a script of that origin."""
    api = Api(id="a", name="A", version="1", context="/", cors=cors)
    return headers_of(denied(response_to(Deny(reason=reason, api=api, allow_origin=allow_origin, **settings))))


ORIGIN = "https://app.example.com"
CORS = Cors(origins=frozenset({ORIGIN}))


@pytest.mark.parametrize("reason", Reason)
def test_a_script_of_a_named_origin_may_read_every_refusal(reason):
    headers = to_browser(reason, ORIGIN, CORS)
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["vary"] == "Origin"
    assert "www-authenticate" in headers["access-control-expose-headers"].split(", ")
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("reason", Reason)
def test_any_other_refusal_says_nothing_to_browsers(reason):
    for headers in (
        to_browser(reason, None, CORS),
        to_browser(reason, ORIGIN, None),
        headers_of(denied(response_to(Deny(reason=reason, allow_origin=ORIGIN)))),
    ):
        assert [name for name in headers if name.startswith("access-control") or name == "vary"] == []


def test_cookies_and_headers_of_the_answer_are_allowed_as_the_api_says():
    cors = Cors(origins=frozenset({ORIGIN}), credentials=True, exposed_headers=frozenset({"X-Request-Id"}))
    headers = to_browser(Reason.INVALID_TOKEN, ORIGIN, cors)
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-expose-headers"] == "dpop-nonce, retry-after, www-authenticate, x-request-id"


def test_any_origin_is_allowed_without_cookies():
    headers = to_browser(Reason.INVALID_TOKEN, "*", Cors(origins=frozenset({"*"})))
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


def test_what_the_refusal_says_besides_is_still_there():
    headers = to_browser(Reason.METHOD_NOT_ALLOWED, ORIGIN, CORS, methods=frozenset({"GET"}))
    assert (headers["allow"], headers["content-type"]) == ("GET", "application/json")


def test_a_plain_refusal_is_made_once():
    builder = ResponseBuilder(ResponsePolicy())
    api = Api(id="a", name="A", version="1", context="/", cors=CORS)
    assert builder.response(Deny(reason=Reason.INVALID_TOKEN, api=api)) is builder.response(
        Deny(reason=Reason.INVALID_TOKEN, detail="other")
    )


def test_the_detail_stays_with_the_operator():
    builder = ResponseBuilder(ResponsePolicy())
    for reason in Reason:
        deny = Deny(reason=reason, detail="for-the-log", scopes=frozenset({"s"}))
        assert b"for-the-log" not in builder.response(deny)


@given(
    reason=st.sampled_from(Reason),
    error_format=st.sampled_from(ErrorFormat),
    scopes=st.frozensets(st.text(), max_size=3),
    methods=st.frozensets(st.text(), max_size=3),
    seconds=st.none() | st.integers(),
)
def test_no_refusal_lets_a_request_through(reason, error_format, scopes, methods, seconds):
    deny = Deny(reason=reason, scopes=scopes, methods=methods, retry_after_seconds=seconds)
    denied(response_to(deny, error_format=error_format))


def test_a_realm_that_cannot_be_sent_is_found_at_the_start():
    with pytest.raises(ValueError, match="printable ASCII"):
        ResponseBuilder(ResponsePolicy(realm='a"b'))


@pytest.mark.parametrize("decision", [None, True, "allow", Reason.INTERNAL])
def test_what_is_no_decision_is_not_answered(decision):
    with pytest.raises(TypeError, match="not a decision"):
        ResponseBuilder(ResponsePolicy()).response(decision)
