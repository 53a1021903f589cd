"""Spans in the JSON encoding of OTLP (https://opentelemetry.io/docs/specs/otlp/, "JSON Protobuf Encoding")."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AnyValue

# As `Span.SpanKind` of OTLP numbers them; 0 is "unspecified".
_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}


def trace_request(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """The message `ExportTraceServiceRequest`.

    `spans` are at least one, and all of one resource and scope. Events and links are left out: none of ours has any.
    """
    resource, scope = spans[0].resource, spans[0].instrumentation_scope
    named = {"name": scope.name, "version": scope.version or ""} if scope else {}
    within = {"scope": named, "spans": [_span(span) for span in spans]}
    return {
        "resourceSpans": [{"resource": {"attributes": _attributes(resource.attributes)}, "scopeSpans": [within]}],
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    if context is None:
        raise ValueError("a span without ids")
    return {
        # Hexadecimal, unlike other bytes in JSON; 64-bit numbers are decimal text, and enums numbers.
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        **({"parentSpanId": f"{span.parent.span_id:016x}"} if span.parent else {}),
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }


def _attributes(attributes: Mapping[str, AnyValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: AnyValue) -> dict[str, Any]:
    match value:
        case str():
            return {"stringValue": value}
        case bool():  # before the numbers, of which it is one
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": _values(value)}}
        case _:
            return {"stringValue": str(value)}


def _values(values: Iterable[AnyValue]) -> list[dict[str, Any]]:
    return [_value(value) for value in values]
