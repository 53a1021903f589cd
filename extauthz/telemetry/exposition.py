"""Metrics as Prometheus reads them: text, or OpenMetrics."""

import asyncio
import importlib.metadata
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from extauthz.telemetry.histogram import Histogram
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.readings import Reading


class Exposition:
    """All metrics of the process, made when they are asked for."""

    def __init__(self, metrics: Metrics, readings: Sequence[Reading] = ()) -> None:
        self._metrics = metrics
        self._readings = tuple(readings)
        self._process = ProcessCollector(registry=None)

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its media type; OpenMetrics if `accept` (RFC 9110 §12.5.1) asks for it."""
        encode, media_type = _encoder(accept)
        families = _Families([*self._families(), *self._process.collect()])
        # 20 us a sample: what thousands take is not taken from Checks at one go.
        return await asyncio.to_thread(encode, families), media_type

    def _families(self) -> Iterator[Metric]:
        metrics = self._metrics
        yield _build()
        yield _checks(metrics)
        yield _shadowed(metrics)
        yield _histogram(
            "extauthz_check_duration_seconds",
            "Time from the request of Envoy to the answer, without the transport.",
            "decision",
            {"allow": metrics.allowed, "deny": metrics.denied},
        )
        yield _histogram("extauthz_stage_duration_seconds", "Time in one stage of a Check.", "stage", metrics.stages)
        yield from _calls(metrics)
        lag = metrics.loop_lag
        documentation = "By how much a sleep of the event loop was too long."
        yield HistogramMetricFamily("extauthz_event_loop_lag_seconds", documentation, lag.buckets(), lag.sum)
        yield from map(_family, self._readings)


class _Families(Collector):
    """What was collected before."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        return choose_encoder("")


def _build() -> Metric:
    version = {"version": importlib.metadata.version("extauthz"), "python": platform.python_version()}
    return InfoMetricFamily("extauthz_build", "What is running.", version)


def _checks(metrics: Metrics) -> Metric:
    family = CounterMetricFamily(
        "extauthz_checks",
        "Checks answered, by decision, reason of a refusal, API and key manager.",
        labels=("decision", "reason", "api", "key_manager"),
    )
    for (reason, api, key_manager), count in metrics.checks.items():
        family.add_metric(("deny" if reason else "allow", reason, api, key_manager), count)
    return family


def _shadowed(metrics: Metrics) -> Metric:
    family = CounterMetricFamily(
        "extauthz_shadowed_refusals",
        "Checks that would have been refused, and were allowed in shadow mode.",
        labels=("reason", "api", "key_manager"),
    )
    for labels, count in metrics.shadowed.items():
        family.add_metric(labels, count)
    return family


def _calls(metrics: Metrics) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "extauthz_key_manager_calls", "Calls to key managers.", labels=("kind", "key_manager", "outcome")
    )
    for labels, count in metrics.outgoing.items():
        family.add_metric(labels, count)
    yield family
    name, documentation = "extauthz_key_manager_call_duration_seconds", "Time of calls to key managers."
    yield _histogram(name, documentation, "kind", metrics.outgoing_seconds)


def _histogram(name: str, documentation: str, label: str, histograms: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, documentation, labels=(label,))
    for value, histogram in histograms.items():
        family.add_metric((value,), histogram.buckets(), histogram.sum)
    return family


def _family(reading: Reading) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily
    if reading.rises:
        family = CounterMetricFamily(reading.name, reading.documentation, labels=reading.labels)
    else:
        family = GaugeMetricFamily(reading.name, reading.documentation, labels=reading.labels)
    for labels, value in reading.read().items():
        family.add_metric(labels, value)
    return family
