"""Spans as a collector gets them."""

import asyncio

import pytest
from support.catalogs import request
from support.otlp_collector import OtlpCollector

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.check import Access, Allow, Deny, Principal
from extauthz.model.errors import Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.telemetry.otlp import OtlpSpans
from extauthz.telemetry.stage_times import CheckTimes
from extauthz.telemetry.trace_context import TraceContext
from extauthz.telemetry.traces import Call, TracedCheck

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOON_NS = 1_790_000_000_000_000_000
RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}))
API = Api(id="petstore", name="PetStore", version="v1", context="/petstore/v1", resources=(RESOURCE,))
FACTS = TokenFacts(form=TokenForm.JWT, believe_until=2_000_000_000)
MATCH = ResourceMatch(api=API, resource=RESOURCE)
KNOWN = Principal(key_manager=KeyManager(id="km", issuer="i"), facts=FACTS, token_key=b"key")
ALLOW = Allow(match=MATCH, access=Access(api=API, resource=RESOURCE, principal=KNOWN))
ERROR = 2


def traced(*, parent=None, ends=(1.0, 3.0, 4.0, 5.0), calls=()):
    times = CheckTimes()
    times.began, times.ends = 0.0, list(ends)
    asked = request("/secret-path", authorization="secret-token")
    return TracedCheck(request=asked, parent=parent, times=times, began_ns=NOON_NS, calls=list(calls))


async def exported(check, decision, seconds=6.0, *, headers=None):
    async with OtlpCollector() as collector:
        spans = OtlpSpans(collector.endpoint, service_name="gateway", headers=headers or {})
        spans(check, decision, seconds)
        await asyncio.to_thread(spans.close)
        assert "secret" not in collector.text()
        assert collector.metadata[0].items() >= (headers or {}).items()
        assert {span.service for span in collector.spans()} == {"gateway"}
        return {span.name: span for span in collector.spans()}


def after(moment):
    return (moment - NOON_NS) / 1e9


def times_of(span):
    began, ended = span.times
    return after(began), after(ended)


async def test_a_check_is_a_span_and_each_of_its_stages_one_within():
    spans = await exported(traced(), ALLOW)
    assert {name: times_of(span) for name, span in spans.items()} == {
        "Check": (0, 6), "match": (0, 1), "authenticate": (1, 3), "authorize": (3, 4), "upstream": (4, 5),
    }  # fmt: skip
    check = spans.pop("Check")
    assert check.parent_id == ""
    assert {(span.trace_id, span.parent_id) for span in spans.values()} == {(check.trace_id, check.span_id)}


async def test_it_belongs_to_the_trace_of_whoever_asked():
    spans = await exported(traced(parent=TraceContext(TRACE, PARENT, True)), ALLOW)
    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert spans["Check"].parent_id == PARENT


async def test_a_call_to_a_key_manager_is_a_span_within_its_stage():
    asked = Call(kind="introspection", key_manager="km", outcome="timeout", began=1.5, ended=2.5)
    early = Call(kind="jwks", key_manager="km", outcome="ok", began=1.0, ended=1.25)
    spans = await exported(traced(calls=[early, asked]), ALLOW)
    call = spans["introspection"]
    assert (times_of(call), call.parent_id) == ((1.5, 2.5), spans["authenticate"].span_id)
    assert call.attributes == {"extauthz.key_manager": "km", "extauthz.outcome": "timeout"}
    assert [spans[name].status for name in ("introspection", "jwks")] == [ERROR, 0]


@pytest.mark.parametrize(
    ("decision", "attributes", "failed"),
    [
        (ALLOW, {"decision": "allow", "api": "petstore", "key_manager": "km"}, False),
        (Allow(match=MATCH), {"decision": "allow", "api": "petstore"}, False),
        (
            Deny(reason=Reason.NO_MATCHING_API, detail="secret"),
            {"decision": "deny", "reason": "no_matching_api"},
            False,
        ),
        (
            Deny(reason=Reason.UNAVAILABLE, detail="secret", api=API, key_manager="km"),
            {"decision": "deny", "reason": "unavailable", "api": "petstore", "key_manager": "km"},
            True,
        ),
        (
            Deny(reason=Reason.TOKEN_EXPIRED, api=API, key_manager="km", shadow=True),
            {"decision": "deny", "reason": "token_expired", "api": "petstore", "key_manager": "km", "shadow": "true"},
            False,
        ),
        (Deny(reason=Reason.INTERNAL), {"decision": "deny", "reason": "internal"}, True),
    ],
)
async def test_what_was_decided_is_told_and_what_the_client_sent_is_not(decision, attributes, failed):
    check = (await exported(traced(ends=[1.0]), decision))["Check"]
    assert check.attributes == {f"extauthz.{name}": value for name, value in attributes.items()}
    assert (check.status == ERROR) is failed


async def test_headers_go_with_each_export():
    await exported(traced(), ALLOW, headers={"authorization": "Bearer of-the-collector"})


async def test_a_collector_that_is_away_holds_up_neither_a_check_nor_the_end():
    spans = OtlpSpans("http://127.0.0.1:9", service_name="gateway", headers={})
    spans(traced(), ALLOW, 6.0)
    async with asyncio.timeout(60):  # ten times as long as it takes
        await asyncio.to_thread(spans.close)
