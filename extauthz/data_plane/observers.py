"""Builds what counts, records and traces Checks."""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from extauthz.data_plane.connections import Calls
from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.told_at import told_at
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.envoy.servicer import DecisionObserver, OnCall
from extauthz.model.check import Decision
from extauthz.pipeline import Timing
from extauthz.settings.process import Settings
from extauthz.settings.telemetry import TracesSettings
from extauthz.telemetry.decisions import Decisions
from extauthz.telemetry.logs import DecisionLog
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.sampling import PerSecond
from extauthz.telemetry.stage_times import StageSampling
from extauthz.telemetry.traces import SpanExport, TracedCheck, Traces

_WITHOUT_EXTRA = "traces need OpenTelemetry: install `extauthz[otel]`"
# Names in lower case, so that none is there twice; values are printable ASCII.
_HEADER = re.compile(r"\s*([a-z0-9_.-]+)=([\x20-\x7e]+?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observers:
    """Who is told what while a Check is answered."""

    timing: Timing
    calls: Calls
    on_decision: DecisionObserver
    on_call: OnCall | None = None
    """None: nobody wants to know how a Check came."""


def observers(settings: Settings, secrets: Secrets, metrics: Metrics, stack: AsyncExitStack) -> Observers:
    """Metrics and log, and traces if the settings ask for them.

    Raises:
        DocumentError: OpenTelemetry is not installed, or the secret or the file of authorities is of no use.
    """
    allowed, wanted = settings.logs.allowed, settings.traces
    log = DecisionLog(first_per_second=allowed.first_per_second, then_one_in=allowed.then_one_in)
    stages, decisions = StageSampling(metrics.stage), Decisions(metrics.decision, log)
    if wanted is None:
        return Observers(timing=stages, calls=metrics.calls, on_decision=decisions)
    bound = PerSecond(wanted.max_per_second, monotonic=time.monotonic)
    spans = _spans(wanted, secrets, stack)

    def after_the_answer(traced: TracedCheck, decision: Decision, seconds: float) -> None:
        # Some 40 us a span: no caller waits for that.
        asyncio.get_running_loop().call_soon(spans, traced, decision, seconds)

    traces = Traces(after_the_answer, sample=wanted.sample, bound=bound, stages=stages)

    def called(kind: str, key_manager: str, outcome: str, seconds: float) -> None:
        metrics.calls(kind, key_manager, outcome, seconds)
        traces.call(kind, key_manager, outcome, seconds)

    return Observers(
        timing=traces.timing,
        calls=called,
        on_decision=Decisions(decisions, traces.decided),
        on_call=traces.called,
    )


def _spans(settings: TracesSettings, secrets: Secrets, stack: AsyncExitStack) -> SpanExport:
    with told_at("traces", "headers_secret"):
        name = settings.headers_secret
        headers = _headers(secrets.for_endpoint(name, settings.endpoint)) if name else {}
    try:
        # Half a second, and 30 MB, that nobody pays who has no traces.
        from extauthz.telemetry.otlp import OtlpSpans  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DocumentError("settings", [Mistake(location=("traces",), message=_WITHOUT_EXTRA)]) from error
    with told_at("traces", "endpoint"):
        spans = OtlpSpans(settings.endpoint, service_name=settings.service_name, headers=headers)
    # It sends what is left, and waits for it.
    stack.push_async_callback(asyncio.to_thread, spans.close)
    return spans


def _headers(text: str) -> Mapping[str, str]:
    found = [_HEADER.fullmatch(part) for part in text.split(",")]
    if None in found:
        raise ValueError("must be `name=value`, several with commas between them, names in lower case")
    return {match[1]: match[2] for match in found if match}
