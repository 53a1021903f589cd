"""Which Checks are traced, and what is remembered of them; nothing here needs OpenTelemetry."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import random as random_number
from time import perf_counter, time_ns
from typing import Protocol

from extauthz.model.check import Decision, RequestContext
from extauthz.telemetry.sampling import PerSecond
from extauthz.telemetry.stage_times import CheckTimes, StageSampling, StageTimes
from extauthz.telemetry.trace_context import TraceContext, trace_context

_TRACEPARENT = "traceparent"
_MOST_CALLS = 20
"""Of one Check: it needs two or three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to a key manager."""

    kind: str
    key_manager: str
    outcome: str
    began: float
    ended: float
    """Both in seconds of `perf_counter`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedCheck:
    """What a trace tells of one Check."""

    request: RequestContext
    parent: TraceContext | None
    """The span that asked; None: this one begins a trace."""
    times: CheckTimes
    began_ns: int
    """When it began, in nanoseconds since 1970."""
    calls: list[Call] = field(default_factory=list)


class SpanExport(Protocol):
    """Makes spans and sends them away, later and elsewhere."""

    def __call__(self, traced: TracedCheck, decision: Decision, seconds: float, /) -> None:
        """A Check that took `seconds`. Must not block."""
        ...


# Of the task that answers a Check, and of those that it starts: so a call is told to the Check that caused it.
_called_by: ContextVar[TraceContext | None] = ContextVar("extauthz_called_by", default=None)
_current: ContextVar[TracedCheck | None] = ContextVar("extauthz_traced_check", default=None)


class Traces:
    """Samples as the parent did, or one root in so many; never more than so many a second."""

    def __init__(
        self,
        export: SpanExport,
        *,
        sample: float,
        bound: PerSecond,
        stages: StageSampling,
        random: Callable[[], float] = random_number,
    ) -> None:
        """`sample` is the part of those Checks that is traced which belong to no trace yet.

        `bound` holds for all: clients may send a `traceparent` that says "sampled", as often as they like.
        """
        self._export = export
        self._sample = sample
        self._bound = bound
        self._stages = stages
        self._random = random

    def called(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        """A Check comes with these metadata of its gRPC call: there Envoy says which of its spans asks."""
        found = dict(metadata or ()).get(_TRACEPARENT)
        _called_by.set(trace_context(found) if isinstance(found, str) else None)

    def timing(self, request: RequestContext, /) -> StageTimes:
        """See `pipeline.Timing`."""
        # Without tracing of its own, Envoy still passes on what the client has sent.
        parent = _called_by.get() or trace_context(request.headers.get(_TRACEPARENT, ""))
        wanted = self._random() < self._sample if parent is None else parent.sampled
        if not wanted or not self._bound.take():
            return self._stages(request)
        times = self._stages.traced()
        _current.set(TracedCheck(request=request, parent=parent, times=times, began_ns=time_ns()))
        return times

    def call(self, kind: str, key_manager: str, outcome: str, seconds: float, /) -> None:
        """A key manager was called; told to the Check that caused it, if that one is traced."""
        traced = _current.get()
        if traced is not None and len(traced.calls) < _MOST_CALLS:
            now = perf_counter()
            call = Call(kind=kind, key_manager=key_manager, outcome=outcome, began=now - seconds, ended=now)
            traced.calls.append(call)

    def decided(self, request: RequestContext | None, decision: Decision, seconds: float) -> None:
        """A Check was answered; what was remembered of it becomes spans."""
        traced = _current.get()
        # Another request: of whoever was here before, in a task that answers several.
        if traced is not None and traced.request is request:
            self._export(traced, decision, seconds)
