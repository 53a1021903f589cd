"""Requests may be sent here if each worker takes some."""

import pytest

from extauthz.workers.readiness import all_ready

WELL = {"ok": True, "essential": True, "detail": "1 APIs"}
FAILED = {"ok": False, "essential": False, "detail": "no answer"}


def said(*, ready=True, **components):
    return {"ready": ready, "draining": False, "components": {"catalog": WELL} | components}


def test_all_are_ready():
    document = all_ready({1: said(), 2: said()}, listening=frozenset({1, 2}), draining=False)
    assert document["ready"]
    assert document["components"]["worker 2"] == {"ok": True, "essential": True, "detail": "ready"}
    assert document["workers"]["2"]["components"]["catalog"] == WELL


@pytest.mark.parametrize(
    ("other", "listening", "detail"),
    [
        (None, {1}, "does not run yet"),
        (None, {1, 2}, "no answer"),
        (said(), {1}, "not ready"),
        (said(ready=False, catalog=FAILED), {1, 2}, "not ready, failed: catalog"),
    ],
)
def test_one_that_is_not_is_enough(other, listening, detail):
    document = all_ready({1: said(), 2: other}, listening=frozenset(listening), draining=False)
    assert not document["ready"]
    assert document["components"]["worker 1"]["ok"]
    assert document["components"]["worker 2"] == {"ok": False, "essential": True, "detail": detail}


def test_what_failed_without_need_is_told_and_does_no_harm():
    document = all_ready({1: said(cache=FAILED)}, listening=frozenset({1}), draining=False)
    assert document["ready"]
    assert document["components"]["worker 1"]["detail"] == "ready, failed: cache"


def test_nobody_is_to_come_any_more():
    document = all_ready({1: said()}, listening=frozenset({1}), draining=True)
    assert (document["ready"], document["draining"]) == (False, True)
