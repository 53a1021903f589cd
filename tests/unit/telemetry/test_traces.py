"""Which Checks are traced."""

import asyncio
import contextvars
from typing import Any

import pytest
from support import catalogs

from extauthz.model.check import Deny
from extauthz.model.errors import Reason
from extauthz.telemetry.sampling import PerSecond
from extauthz.telemetry.stage_times import UNTIMED, StageSampling
from extauthz.telemetry.traces import Traces

TRACE, SPAN, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "a" * 32
DENY = Deny(reason=Reason.NO_MATCHING_API)


def traceparent(flags="01", trace=TRACE):
    return f"00-{trace}-{SPAN}-{flags}"


def request(**headers):
    return catalogs.request(headers=headers)


class Tracing:
    def __init__(self, *, sample=0.0, most=1000, random=0.5):
        self.exported: list[Any] = []
        self.seconds = [0.0]
        self.traces = Traces(
            lambda *told: self.exported.append(told),
            sample=sample,
            bound=PerSecond(most, monotonic=lambda: self.seconds[0]),
            stages=StageSampling(lambda *_: None, one_in=1_000_000),
            random=lambda: random,
        )
        self.traces.timing(request())  # the one that is timed for the metrics

    def check(self, asked=None, *, metadata=None, calls=()):
        """In a context of its own, as gRPC does it."""
        contextvars.copy_context().run(self._check, asked or request(), metadata, calls)

    def _check(self, asked, metadata, calls):
        self.traces.called(metadata)
        times = self.traces.timing(asked)
        for call in calls:
            self.traces.call(*call)
        times.over()
        self.traces.decided(asked, DENY, 0.25)

    @property
    def parents(self):
        return [traced.parent for traced, _, _ in self.exported]


@pytest.mark.parametrize(("flags", "traced"), [("01", 1), ("00", 0), ("03", 1), ("02", 0)])
@pytest.mark.parametrize("sample", [0.0, 1.0])
def test_a_check_of_a_trace_is_sampled_as_its_parent_was(flags, traced, sample):
    tracing = Tracing(sample=sample)
    tracing.check(request(traceparent=traceparent(flags)))
    assert [(parent.trace_id, parent.parent_id) for parent in tracing.parents] == [(TRACE, SPAN)] * traced


@pytest.mark.parametrize(("random", "traced"), [(0.24, [None]), (0.25, []), (0.9, [])])
@pytest.mark.parametrize("headers", [{}, {"traceparent": "no"}, {"traceparent": traceparent(trace="0" * 32)}])
def test_a_check_of_no_trace_begins_one_by_chance(random, traced, headers):
    tracing = Tracing(sample=0.25, random=random)
    tracing.check(request(**headers))
    assert tracing.parents == traced


def test_what_envoy_says_goes_before_what_the_client_says():
    tracing = Tracing()
    tracing.check(request(traceparent=traceparent(trace=OTHER)), metadata=[("traceparent", traceparent())])
    tracing.check(request(traceparent=traceparent(trace=OTHER)), metadata=[("traceparent", traceparent("00"))])
    tracing.check(request(traceparent=traceparent(trace=OTHER)), metadata=[("other", "x"), ("other-bin", b"x")])
    assert [parent.trace_id for parent in tracing.parents] == [TRACE, OTHER]


def test_clients_cannot_have_more_traced_than_the_bound():
    tracing = Tracing(most=3)
    for _ in range(10):
        tracing.check(request(traceparent=traceparent()))
    assert len(tracing.exported) == 3
    tracing.seconds[0] += 1
    tracing.check(request(traceparent=traceparent()))
    assert len(tracing.exported) == 4


def test_a_check_that_is_not_traced_costs_no_clock():
    tracing = Tracing()
    assert tracing.traces.timing(request()) is UNTIMED


def test_the_decision_and_its_time_are_told():
    tracing = Tracing(sample=1.0)
    tracing.check()
    ((traced, decision, seconds),) = tracing.exported
    assert (decision, seconds) == (DENY, 0.25)
    assert [name for name, _, _ in traced.times.stages()] == ["match"]


def test_a_decision_about_another_request_is_none_of_the_trace():
    tracing = Tracing(sample=1.0)
    context = contextvars.copy_context()
    context.run(tracing.traces.timing, request())
    context.run(tracing.traces.decided, request(), DENY, 1.0)
    context.run(tracing.traces.decided, None, DENY, 1.0)
    assert tracing.exported == []


async def test_calls_are_told_to_the_check_that_caused_them_and_are_bounded():
    tracing = Tracing(sample=1.0)

    async def check(name):
        asked = request()
        times = tracing.traces.timing(asked)
        await asyncio.sleep(0)
        await asyncio.create_task(call(name))
        times.over()
        tracing.traces.decided(asked, DENY, 0.25)

    async def call(name):
        tracing.traces.call("introspection", name, "ok", 0.001)

    await asyncio.gather(*(asyncio.create_task(check(name)) for name in "abc"))
    assert [[call.key_manager for call in traced.calls] for traced, _, _ in tracing.exported] == [["a"], ["b"], ["c"]]
    tracing.check(calls=[("jwks", "km", "ok", 0.001)] * 1000)
    assert len(tracing.exported[-1][0].calls) == 20
    tracing.traces.call("jwks", "km", "ok", 0.001)  # of no Check
