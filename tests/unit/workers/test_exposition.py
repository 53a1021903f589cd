"""One page of metrics for all workers, which Prometheus can read."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families
from support.metrics_page import samples, shown_types

from extauthz.telemetry.exposition import Exposition
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.readings import Reading, single
from extauthz.workers.exposition import one_exposition

OPENMETRICS = "application/openmetrics-text"


def awkward():
    return Reading(
        name="awkward",
        documentation="First line\n# HELP second line",
        labels=("label",),
        read=lambda: {('a "quoted"\n# HELP value {x="y"} 1',): 3.0},
    )


async def page_of(count, *readings, accept=""):
    metrics = Metrics()
    for _ in range(count):
        metrics.stage("match", 0.001)
    content, _ = await Exposition(metrics, readings).page(accept)
    return content.decode()


@pytest.mark.parametrize(("accept", "families"), [("", text_families), (OPENMETRICS, openmetrics_families)])
async def test_each_sample_says_whose_it_is_and_none_is_lost(accept, families):
    readings = (awkward(), single("ready", "Whether.", lambda: 1.0))
    pages = {number: await page_of(number, *readings, accept=accept) for number in (1, 2)}
    found = list(families(one_exposition(pages)))
    alone = {number: list(families(page)) for number, page in pages.items()}
    assert [family.name for family in found] == [family.name for family in alone[1]]
    for family, first, second in zip(found, alone[1], alone[2], strict=True):
        assert (family.type, family.documentation) == (first.type, first.documentation)
        for number, whole in (("1", first), ("2", second)):
            own = [s for s in family.samples if s.labels["worker"] == number]
            expected = [(s.name, s.labels | {"worker": number}, s.value) for s in whole.samples]
            assert [(s.name, s.labels, s.value) for s in own] == expected


async def test_the_sum_over_workers_is_what_all_have_counted():
    shown = samples(one_exposition({number: await page_of(number) for number in (1, 2, 3)}))
    counted = [v for (name, *_), v in shown.items() if name == "extauthz_stage_duration_seconds_count"]
    assert sum(counted) == 6


async def test_what_only_one_worker_has_is_there():
    pages = {1: await page_of(1), 2: await page_of(1, single("only_here", "By one.", lambda: 5.0))}
    assert samples(one_exposition(pages))["only_here", ("worker", "2")] == 5


@pytest.mark.parametrize("missing", [1, 2])
async def test_a_worker_that_gives_no_page_is_not_ready(missing):
    there = await page_of(1, single("extauthz_ready", "1 if requests may be sent here.", lambda: 1.0))
    page = one_exposition({number: None if number == missing else there for number in (1, 2)})
    shown = samples(page)
    assert [shown["extauthz_ready", ("worker", str(number))] for number in (missing, 3 - missing)] == [0, 1]
    assert page.count("# TYPE extauthz_ready gauge") == 1


async def test_without_any_worker_there_still_is_a_page():
    assert shown_types(one_exposition({1: None, 2: None})) == {"extauthz_ready": "gauge"}


async def test_openmetrics_ends_with_its_end_also_if_a_worker_is_missing():
    page = one_exposition({1: None, 2: await page_of(1, accept=OPENMETRICS)})
    assert page.endswith("# EOF\n")
    assert page.count("# EOF") == 1
