"""Metrics as Prometheus' own parsers read them."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families
from support.metrics_page import documented, shown_labels

from extauthz.model.check import Deny
from extauthz.model.errors import Reason
from extauthz.telemetry.exposition import Exposition
from extauthz.telemetry.health import Health
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.readings import HealthReadings, Reading, single

# As Prometheus 3 asks, and as it does without OpenMetrics.
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
TEXT = "text/plain;version=0.0.4;q=0.4,*/*;q=0.1"


async def samples(exposition, accept=TEXT):
    content, media_type = await exposition.page(accept)
    families = openmetrics_families if "openmetrics" in media_type else text_families
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families(content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (TEXT, "text/plain; version=0.0.4; charset=utf-8"),
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/json", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=x", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
async def test_the_form_is_the_one_that_is_asked_for(accept, media_type):
    content, given = await Exposition(Metrics()).page(accept)
    assert given.startswith(media_type)
    assert content.endswith(b"# EOF\n") is given.startswith("application/openmetrics-text")


@pytest.mark.parametrize("accept", [OPENMETRICS, TEXT])
async def test_all_that_was_counted_is_shown(accept):
    metrics = Metrics()
    metrics.decision(None, Deny(reason=Reason.NO_MATCHING_API), 0.002)
    metrics.calls("jwks", "km", "unavailable", 0.3)
    metrics.stage("authenticate", 0.004)
    metrics.loop_lag.observe(0.02)
    shown = await samples(Exposition(metrics), accept)
    reason = ("reason", "no_matching_api")
    assert shown["extauthz_checks_total", ("api", ""), ("decision", "deny"), ("key_manager", ""), reason] == 1
    called = (("key_manager", "km"), ("kind", "jwks"), ("outcome", "unavailable"))
    assert shown["extauthz_key_manager_calls_total", *called] == 1
    assert shown["extauthz_check_duration_seconds_bucket", ("decision", "deny"), ("le", "0.001")] == 0
    assert shown["extauthz_check_duration_seconds_bucket", ("decision", "deny"), ("le", "0.0025")] == 1
    assert shown["extauthz_check_duration_seconds_count", ("decision", "deny")] == 1
    assert shown["extauthz_stage_duration_seconds_sum", ("stage", "authenticate")] == 0.004
    assert shown["extauthz_key_manager_call_duration_seconds_count", ("kind", "jwks")] == 1
    assert shown["extauthz_event_loop_lag_seconds_sum",] == 0.02


async def test_the_build_and_the_process_are_shown():
    shown = await samples(Exposition(Metrics()))
    (build,) = [key for key in shown if key[0] == "extauthz_build_info"]
    assert {name for name, _ in build[1:]} == {"version", "python"}
    assert shown["process_resident_memory_bytes",] > 0


async def test_a_reading_is_read_each_time_and_may_have_no_value():
    values = [1.0, None, 3.0]
    exposition = Exposition(Metrics(), [single("extauthz_some", "Some.", lambda: values.pop(0))])
    assert [(await samples(exposition)).get(("extauthz_some",)) for _ in range(3)] == [1.0, None, 3.0]


@pytest.mark.parametrize("accept", [OPENMETRICS, TEXT])
async def test_a_reading_that_rises_is_a_counter(accept):
    reading = Reading(
        name="extauthz_odd_total", documentation="d", labels=("a",), read=lambda: {("x",): 2.0}, rises=True
    )
    exposition = Exposition(Metrics(), [reading])
    assert (await samples(exposition, accept))["extauthz_odd_total", ("a", "x")] == 2
    assert b" counter\n" in (await exposition.page(accept))[0]


async def test_values_of_labels_cannot_make_lines_of_their_own():
    metrics = Metrics()
    metrics.stage('a"b\\c\nextauthz_ready 1', 0.5)
    assert (await samples(Exposition(metrics)))[
        "extauthz_stage_duration_seconds_count", ("stage", 'a"b\\c\nextauthz_ready 1')
    ] == 1


async def test_components_are_shown_with_how_often_they_failed():
    health = Health(essential={"catalog"}, dispensable={"cache"})
    exposition = Exposition(Metrics(), HealthReadings(health).readings())
    for ok in (True, False, False, True, False):
        health.report("cache", ok=ok)
    first = await samples(exposition)
    assert first["extauthz_ready",] == 0
    assert first["extauthz_component_up", ("component", "cache"), ("essential", "false")] == 0
    assert first["extauthz_component_failures_total", ("component", "cache")] == 2
    # That it is not there yet is no failure.
    assert first["extauthz_component_failures_total", ("component", "catalog")] == 0
    health.report("catalog", ok=True)
    second = await samples(exposition)
    assert second["extauthz_ready",] == 1
    assert second["extauthz_component_up", ("component", "catalog"), ("essential", "true")] == 1


async def test_the_labels_of_what_is_counted_are_documented():
    """Of what a replica counts from its first Check on, `tests/integration/test_telemetry.py` asks a real one."""
    metrics = Metrics()
    metrics.decision(None, Deny(reason=Reason.NO_MATCHING_API), 0.002)
    metrics.calls("jwks", "km", "unavailable", 0.3)
    metrics.stage("authenticate", 0.004)
    page = (await Exposition(metrics).page(TEXT))[0].decode()
    pages = documented()
    shown = dict(shown_labels(page))
    assert {"extauthz_stage_duration_seconds", "extauthz_key_manager_calls_total"} <= shown.keys()
    assert [name for name, labels in shown.items() if labels != pages[name][1]] == []
