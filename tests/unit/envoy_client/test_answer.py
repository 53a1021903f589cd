"""Our own answers, read back: what `check` says is what was meant."""

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from support.catalogs import contents

from extauthz.envoy.refusals import REFUSALS
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy_client.answer import answer_of
from extauthz.model.api import ResourceMatch
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import ErrorFormat, Reason


def answered(decision, **policy):
    response = ResponseBuilder(ResponsePolicy(dpop_algorithms=frozenset({"ES256"}), **policy)).response(decision)
    return answer_of(CheckResponse.FromString(response))


@pytest.mark.parametrize("form", ErrorFormat)
@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_known_by_its_reason_in_every_form(reason, form):
    answer = answered(Deny(reason=reason), error_format=form)
    refusal = REFUSALS[reason]
    assert not answer.allowed
    assert (answer.reason, answer.code) == (reason, refusal.code)
    assert (answer.http_status, answer.grpc_code) == (refusal.status, refusal.grpc_code)


def test_an_allowed_request_tells_what_it_takes_along():
    api = contents().apis[0]
    answer = answered(Allow(match=ResourceMatch(api=api, resource=api.resources[2])))
    assert answer.allowed
    assert (answer.http_status, answer.grpc_name) == (200, "OK")
    assert answer.metadata["api_id"] == "petstore"
    assert "authorization" in answer.removed_headers


def test_the_status_decides_whatever_else_is_set():
    response = CheckResponse()
    response.status.code = 7
    response.ok_response.headers_to_remove.append("x")
    answer = answer_of(response)
    assert not answer.allowed
    assert (answer.http_status, answer.reason, answer.code) == (403, None, None)


@pytest.mark.parametrize("body", ["", "no", "[]", '"x"', '{"fault": 1}', "{}"])
def test_a_body_that_is_not_ours_has_no_code(body):
    response = CheckResponse()
    response.status.code = 16
    response.denied_response.body = body
    assert answer_of(response).code is None
