"""Traces as OpenTelemetry has them. Needs the extra `otel`."""

import importlib.metadata
from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from extauthz.model.check import Decision, Deny
from extauthz.model.errors import Reason
from extauthz.telemetry.otlp_http import OtlpHttpExporter
from extauthz.telemetry.trace_context import TraceContext
from extauthz.telemetry.traces import Call, TracedCheck

_NANOSECONDS = 1e9
_OK = "ok"
_FAILURES = frozenset({Reason.UNAVAILABLE, Reason.INTERNAL})
"""Other refusals are right answers."""


class OtlpSpans:
    """Makes the spans of Checks, and has a thread send them. What cannot be sent is dropped."""

    def __init__(self, endpoint: str, *, service_name: str, headers: Mapping[str, str]) -> None:
        """`endpoint` is a URL, `https` with TLS; `headers` go along with each export.

        Raises:
            ValueError: see `OtlpHttpExporter`.
        """
        version = importlib.metadata.version("extauthz")
        self._exporter = OtlpHttpExporter(endpoint, headers=headers, agent=f"extauthz/{version}")
        self._provider = TracerProvider(
            # What is traced was decided before: nothing else gets here.
            sampler=ALWAYS_ON,
            resource=Resource.create({SERVICE_NAME: service_name, SERVICE_VERSION: version}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("extauthz", version)

    def __call__(self, traced: TracedCheck, decision: Decision, seconds: float) -> None:
        """See `SpanExport`."""
        times, calls = traced.times, list(traced.calls)
        ends = max(times.began + seconds, *times.ends)
        check = self._span("Check", traced, times.began, kind=SpanKind.SERVER)
        check.set_attributes(_attributes(decision))
        if isinstance(decision, Deny) and decision.reason in _FAILURES:
            check.set_status(Status(StatusCode.ERROR))
        for name, begin, end in times.stages():
            stage = self._span(name, traced, begin, check)
            for call in calls:
                if begin <= call.began < end:
                    self._called(call, traced, stage)
            stage.end(_at(traced, end))
        check.end(_at(traced, ends))

    def _called(self, call: Call, traced: TracedCheck, stage: Span) -> None:
        span = self._span(call.kind, traced, call.began, stage, kind=SpanKind.CLIENT)
        span.set_attributes({"extauthz.key_manager": call.key_manager, "extauthz.outcome": call.outcome})
        if call.outcome != _OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_at(traced, call.ended))

    def _span(
        self,
        name: str,
        traced: TracedCheck,
        began: float,
        parent: Span | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        above = _remote(traced.parent) if parent is None else parent
        # A context of its own: none of this is the current span of whatever runs here.
        context = Context() if above is None else set_span_in_context(above, Context())
        return self._tracer.start_span(name, context, kind=kind, start_time=_at(traced, began))

    def close(self) -> None:
        """Sends what is left, for some seconds at most; blocks."""
        self._exporter.hurry()
        self._provider.shutdown()


def _at(traced: TracedCheck, moment: float) -> int:
    """A moment of `perf_counter` in nanoseconds since 1970."""
    return traced.began_ns + int((moment - traced.times.began) * _NANOSECONDS)


def _remote(parent: TraceContext | None) -> Span | None:
    if parent is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    return NonRecordingSpan(SpanContext(int(parent.trace_id, 16), int(parent.parent_id, 16), True, flags))


def _attributes(decision: Decision) -> dict[str, str]:
    """Of the decision, and of nothing that the client has sent."""
    if isinstance(decision, Deny):
        told = {
            "decision": "deny",
            "reason": decision.reason.value,
            "api": decision.api.id if decision.api else "",
            "key_manager": decision.key_manager,
            "shadow": "true" if decision.shadow else "",
        }
    else:
        key_manager = decision.access.principal.key_manager if decision.access else None
        told = {
            "decision": "allow",
            "api": decision.match.api.id,
            "key_manager": key_manager.id if key_manager else "",
        }
    return {f"extauthz.{name}": value for name, value in told.items() if value}
