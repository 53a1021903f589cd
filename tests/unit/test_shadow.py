"""Shadow mode: what would be refused passes, is recorded, and takes nothing along that only looks like ours."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.catalogs import api, contents
from support.check_client import OVERWRITES, CheckResponse, allowed, check_request, denied, headers_of
from support.deciders import Answers, Held, Raises, allow, match

from extauthz.catalog.catalog import Catalog
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.servicer import Answering, AuthorizationServicer
from extauthz.model.check import Deny
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.header_name import spellings
from extauthz.shadow import Shadow
from extauthz.telemetry.decisions import Decisions
from extauthz.telemetry.logs import DecisionLog
from extauthz.telemetry.metrics import Metrics

pytestmark = OVERWRITES

REQUEST = bytes(check_request())
ELSEWHERE = bytes(check_request(path="/nowhere"))
OWNED = {"x-jwt-assertion", "x_jwt-assertion", "x-jwt_assertion", "x_jwt_assertion"}
CREDENTIALS = {"authorization", "dpop"}
CERTIFICATE = "x-forwarded-client-cert"


def catalog(**settings):
    return Catalog(contents(apis=[api(**settings)]))


def servicer(decider, shadow, *, on_decision=None, budget_seconds=60.0):
    return AuthorizationServicer(
        Answering(
            decider=decider,
            responses=ResponseBuilder(ResponsePolicy()),
            budget_seconds=budget_seconds,
            on_decision=on_decision,
            shadow=shadow,
        )
    )


async def answer(decider, shadow, request=REQUEST, **options):
    return CheckResponse.FromString(await servicer(decider, shadow, **options).Check(request))


def response_to(deny):
    return CheckResponse.FromString(ResponseBuilder(ResponsePolicy()).response(deny))


def metadata(response):
    return {name: value.string_value for name, value in response.dynamic_metadata.fields.items()}


@pytest.mark.parametrize("reason", Reason)
async def test_an_api_in_shadow_refuses_for_no_reason_where_it_was_found(reason):
    found = Deny(reason=reason, api=contents(apis=[api(shadow=True)]).apis[0])
    response = await answer(Answers(found), Shadow(catalog(shadow=True)))
    assert headers_of(allowed(response)) == {}
    assert metadata(response)["shadow_reason"] == reason.value


@pytest.mark.parametrize("reason", Reason)
async def test_without_shadow_mode_every_reason_refuses(reason):
    assert denied(await answer(Answers(Deny(reason=reason)), Shadow(catalog())))


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("request_bytes", [REQUEST, ELSEWHERE], ids=["API", "no API"])
async def test_everywhere_nothing_is_refused(reason, request_bytes):
    response = await answer(Answers(Deny(reason=reason)), Shadow(catalog(), everywhere=True), request_bytes)
    assert headers_of(allowed(response)) == {}
    assert metadata(response)["shadow_reason"] == reason.value


async def test_what_is_allowed_is_as_it_is_without_shadow_mode():
    response = await answer(Answers(allow()), Shadow(catalog(shadow=True), everywhere=True))
    assert headers_of(allowed(response)) == {"x-jwt-assertion": "aaa.bbb.ccc"}
    assert "shadow_reason" not in metadata(response)


@pytest.mark.parametrize("error", [Denied(Reason.INVALID_TOKEN), Unavailable("issuer"), RuntimeError("secret")])
async def test_a_failure_on_an_api_in_shadow_passes(error):
    response = await answer(Raises(error), Shadow(catalog(shadow=True)))
    assert metadata(response)["api_id"] == "petstore"
    assert allowed(response)


@pytest.mark.parametrize("error", [Unavailable("issuer"), RuntimeError("secret")])
async def test_a_failure_where_no_api_in_shadow_is_found_refuses(error):
    assert denied(await answer(Raises(error), Shadow(catalog(shadow=True)), ELSEWHERE))
    assert denied(await answer(Raises(error), Shadow(Catalog())))
    assert denied(await answer(Raises(error), Shadow(catalog())))


@pytest.mark.parametrize(("shadow", "passes"), [(True, True), (False, False)])
async def test_who_runs_out_of_time_on_an_api_in_shadow_passes(shadow, passes):
    response = await answer(Held(allow()), Shadow(catalog(shadow=shadow)), budget_seconds=0.01)
    assert (allowed if passes else denied)(response)


@pytest.mark.parametrize(("everywhere", "passes"), [(True, True), (False, False)])
async def test_what_is_no_check_request_passes_only_where_everything_does(everywhere, passes):
    shadow = Shadow(catalog(shadow=True), everywhere=everywhere)
    response = await answer(Answers(allow()), shadow, b"\xff")
    assert (allowed if passes else denied)(response)


async def test_a_fault_of_shadow_mode_itself_refuses():
    def broken(_deny, _request):
        raise RuntimeError("secret")

    with capture_logs() as logs:
        assert denied(await answer(Answers(Deny(reason=Reason.INVALID_TOKEN)), broken))
        await asyncio.sleep(0)
    assert [line["error"] for line in logs] == ["RuntimeError"]


@given(st.sampled_from(Reason), st.booleans(), st.booleans())
def test_nothing_forged_passes_whatever_the_reason(reason, forward_authorization, with_api):
    found = match(forward_authorization=forward_authorization)
    deny = Deny(reason=reason, shadow=True)
    if with_api:
        deny = replace(deny, api=found.api, resource=found.resource)
    ok = allowed(response_to(deny))
    assert set(ok.headers_to_remove) >= OWNED
    assert headers_of(ok) == {}


@pytest.mark.parametrize(("forwards", "kept"), [(True, True), (False, False)])
def test_credentials_reach_an_upstream_that_checks_them_itself_and_no_other(forwards, kept):
    found = match(forward_authorization=forwards)
    response = response_to(Deny(reason=Reason.INVALID_TOKEN, shadow=True, api=found.api, resource=found.resource))
    assert CREDENTIALS.isdisjoint(allowed(response).headers_to_remove) is kept
    assert metadata(response) == {
        "api_id": "petstore-v1",
        "api_name": "Petstore",
        "api_version": "1.0.0",
        "organization": "acme",
        "resource": "/pets/{petId}",
        "shadow_reason": "invalid_token",
    }


def test_without_an_api_the_upstream_gets_what_it_would_get_without_extauthz_but_for_what_is_ours():
    ok = allowed(response_to(Deny(reason=Reason.NO_MATCHING_API, shadow=True)))
    # Its own spelling is Envoy's to write; the others can only be forged.
    assert set(ok.headers_to_remove) == OWNED | (spellings(CERTIFICATE) - {CERTIFICATE})


def test_without_a_resource_none_is_named():
    response = response_to(Deny(reason=Reason.NO_MATCHING_RESOURCE, shadow=True, api=match().api))
    assert metadata(response).keys() == {"api_id", "api_name", "api_version", "organization", "shadow_reason"}


def test_the_key_of_an_api_that_takes_keys_is_removed():
    key = contents(apis=[api(security={"api_key": {"header": "X-API-Key", "query": "key"}})]).apis[0]
    ok = allowed(response_to(Deny(reason=Reason.INVALID_TOKEN, shadow=True, api=key)))
    assert "x-api-key" in ok.headers_to_remove
    assert ok.query_parameters_to_remove == ["key"]


async def test_a_refusal_that_is_not_enforced_is_recorded_and_counted_apart():
    metrics = Metrics()
    with capture_logs() as logs:
        observe = Decisions(metrics.decision, DecisionLog())
        shadow = Shadow(catalog(shadow=True))
        unavailable = Unavailable("issuer")
        unavailable.key_manager = "okta"
        for decider in (Raises(unavailable), Answers(allow())):
            await answer(decider, shadow, on_decision=observe)
        await asyncio.sleep(0)
    refused = next(line for line in logs if line["event"] == "denied")
    assert (refused["shadow"], refused["reason"], refused["api"]) == (True, "unavailable", "petstore")
    assert refused["key_manager"] == "okta"
    assert metrics.shadowed == {("unavailable", "petstore", "okta"): 1}
    # Envoy was told to let it through: nobody who looks at refusals is to look for this one.
    assert metrics.checks == {("", "petstore", "okta"): 1, ("", "petstore-v1", "okta"): 1}
    assert metrics.denied.sum == 0


def test_an_enforced_refusal_is_not_marked_in_the_log():
    with capture_logs() as logs:
        DecisionLog()(None, Deny(reason=Reason.INVALID_TOKEN), 0.001)
    assert "shadow" not in logs[0]


def test_shadowed_refusals_of_apis_beyond_the_bound_are_counted_together():
    metrics = Metrics(apis=1)
    for name in ("a", "b", "c"):
        deny = Deny(reason=Reason.INVALID_TOKEN, api=replace(match().api, id=name), shadow=True)
        metrics.decision(None, deny, 0.001)
    assert metrics.shadowed == {("invalid_token", "a", ""): 1, ("invalid_token", "other", ""): 2}
