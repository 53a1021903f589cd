"""Spans in the JSON encoding of OTLP."""

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from extauthz.telemetry.otlp_json import trace_request

BEGAN, ENDED = 1_790_000_000_000_000_001, 1_790_000_000_000_000_002


def ended(name="Check", *, parent=None, resource=None, kind=SpanKind.INTERNAL, attributes=None, status=None):
    finished = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(resource or {}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    above = set_span_in_context(NonRecordingSpan(parent)) if parent else None
    span = provider.get_tracer("tracer", "1.2").start_span(
        name, above, kind=kind, attributes=attributes, start_time=BEGAN
    )
    if status:
        span.set_status(Status(status))
    span.end(ENDED)
    return finished.get_finished_spans()


def test_a_span_as_the_specification_writes_it():
    parent = SpanContext(0xABC, 0xDEF, True, TraceFlags(1))
    spans = ended(
        parent=parent, resource={"service.name": "gateway"}, kind=SpanKind.SERVER, attributes={"a": "b"},
        status=StatusCode.ERROR,
    )  # fmt: skip
    assert trace_request(spans) == {
        "resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "gateway"}}]},
            "scopeSpans": [{
                "scope": {"name": "tracer", "version": "1.2"},
                "spans": [{
                    "traceId": "00000000000000000000000000000abc",
                    "spanId": f"{spans[0].context.span_id:016x}",
                    "parentSpanId": "0000000000000def",
                    "name": "Check",
                    "kind": 2,
                    "startTimeUnixNano": "1790000000000000001",
                    "endTimeUnixNano": "1790000000000000002",
                    "attributes": [{"key": "a", "value": {"stringValue": "b"}}],
                    "status": {"code": 2},
                }],
            }],
        }],
    }  # fmt: skip


def test_the_first_span_of_a_trace_has_no_parent():
    (resource,) = trace_request(ended())["resourceSpans"]
    (span,) = resource["scopeSpans"][0]["spans"]
    assert "parentSpanId" not in span
    assert (span["kind"], span["status"]) == (1, {"code": 0})


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("text", {"stringValue": "text"}),
        (True, {"boolValue": True}),
        (2**53 + 1, {"intValue": "9007199254740993"}),
        (0.5, {"doubleValue": 0.5}),
        (["a", "b"], {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}),
        (b"x", {"stringValue": "b'x'"}),
    ],
)
def test_values_keep_their_types(value, encoded):
    (resource,) = trace_request(ended(resource={"it": value}))["resourceSpans"]
    assert resource["resource"]["attributes"] == [{"key": "it", "value": encoded}]
