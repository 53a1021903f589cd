"""Which decisions are in the log, and under which trace."""

import io
import json
import logging

import pytest
import structlog

from extauthz.envoy.request import RequestHeaders
from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.check import Allow, Deny, GivenDetails, RequestContext
from extauthz.model.errors import Reason
from extauthz.telemetry.logs import DecisionLog, configure_logs

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}))
API = Api(id="petstore", name="PetStore", version="v1", context="/petstore/v1", resources=(RESOURCE,))
ALLOW = Allow(match=ResourceMatch(api=API, resource=RESOURCE))
DENY = Deny(reason=Reason.INVALID_TOKEN)


def request(**headers):
    details = GivenDetails(request_id="request-1")
    return RequestContext(method="GET", host="h", path="/", headers=RequestHeaders(headers), details=details)


@pytest.fixture
def lines():
    """What was logged until it is called."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logs(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_of_many_allowed_requests_some_are_recorded_and_stand_for_the_others(lines):
    log = DecisionLog(first_per_second=2, then_one_in=10, monotonic=lambda: 1.0)
    for _ in range(25):
        log(request(), ALLOW, 0.001)
    assert [line["stands_for"] for line in lines()] == [1, 1, 10, 10]


def test_every_refusal_is_recorded_and_stands_for_itself(lines):
    log = DecisionLog(first_per_second=0, then_one_in=1000, monotonic=lambda: 1.0)
    for _ in range(50):
        log(request(), ALLOW, 0.001)
        log(request(), DENY, 0.001)
    assert [(line["event"], "stands_for" in line) for line in lines()] == [("denied", False)] * 50


@pytest.mark.parametrize("decision", [ALLOW, DENY])
def test_a_line_has_the_trace_of_its_request(lines, decision):
    log = DecisionLog()
    log(request(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01"), decision, 0.001)
    log(request(traceparent="nonsense"), decision, 0.001)
    log(request(), decision, 0.001)
    assert [(line["request_id"], line["trace_id"]) for line in lines()] == [
        ("request-1", TRACE), ("request-1", ""), ("request-1", ""),
    ]  # fmt: skip


def test_what_was_no_request_is_recorded_as_well(lines):
    DecisionLog()(None, DENY, 0.001)
    (line,) = lines()
    assert (line["event"], line["request_id"], line["trace_id"]) == ("denied", "", "")


def test_a_value_that_json_does_not_know_is_no_reason_to_lose_a_line(lines):
    structlog.get_logger().info("odd", value=frozenset({1}))
    assert [line["value"] for line in lines()] == ["frozenset({1})"]
