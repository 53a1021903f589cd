"""What is counted, and that no label grows without bound."""

import pytest

from extauthz.model.api import Api, Resource, ResourceMatch
from extauthz.model.check import Access, Allow, Deny, Principal
from extauthz.model.errors import Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.telemetry.histogram import Histogram
from extauthz.telemetry.metrics import Metrics

RESOURCE = Resource(template="/pets", methods=frozenset({"GET"}))
FACTS = TokenFacts(form=TokenForm.JWT, believe_until=2_000_000_000)


def api(name="petstore"):
    return Api(id=name, name="PetStore", version="v1", context="/petstore/v1", resources=(RESOURCE,))


def allow(name="petstore", key_manager="km"):
    principal = Principal(key_manager=KeyManager(id=key_manager, issuer="i"), facts=FACTS, token_key=b"key")
    access = Access(api=api(name), resource=RESOURCE, principal=principal)
    return Allow(match=ResourceMatch(api=api(name), resource=RESOURCE), access=access)


def test_checks_are_counted_by_reason_api_and_key_manager():
    metrics = Metrics()
    for decision in (
        allow(),
        allow(),
        Allow(match=ResourceMatch(api=api("open"), resource=RESOURCE)),
        Deny(reason=Reason.MISSING_CREDENTIALS, api=api(), resource=RESOURCE),
        Deny(reason=Reason.TOKEN_EXPIRED, api=api(), resource=RESOURCE, key_manager="km"),
        Deny(reason=Reason.NO_MATCHING_API),
    ):
        metrics.decision(None, decision, 0.001)
    assert metrics.checks == {
        ("", "petstore", "km"): 2,
        ("", "open", ""): 1,
        ("missing_credentials", "petstore", ""): 1,
        ("token_expired", "petstore", "km"): 1,
        ("no_matching_api", "", ""): 1,
    }


def test_allowed_and_refused_checks_are_timed_apart():
    metrics = Metrics()
    metrics.decision(None, allow(), 0.25)
    metrics.decision(None, Deny(reason=Reason.UNAVAILABLE), 2.0)
    assert (metrics.allowed.sum, metrics.denied.sum) == (0.25, 2.0)


def test_apis_beyond_the_bound_are_counted_together_and_the_others_go_on():
    metrics = Metrics(apis=2)
    for name in ("a", "b", "c", "d", "a", "c"):
        metrics.decision(None, allow(name), 0.001)
    metrics.decision(None, Deny(reason=Reason.NO_MATCHING_API), 0.001)
    assert metrics.checks == {
        ("", "a", "km"): 2,
        ("", "b", "km"): 1,
        ("", "other", "km"): 3,
        ("no_matching_api", "", ""): 1,
    }


def test_key_managers_beyond_the_bound_are_counted_together():
    metrics = Metrics(key_managers=1)
    for name in ("a", "b", "c"):
        metrics.decision(None, allow(key_manager=name), 0.001)
        metrics.calls("introspection", name, "ok", 0.001)
    assert metrics.checks == {("", "petstore", "a"): 1, ("", "petstore", "other"): 2}
    assert metrics.outgoing == {("introspection", "a", "ok"): 1, ("introspection", "other", "ok"): 2}


def test_calls_are_counted_by_outcome_and_timed_by_kind():
    metrics = Metrics()
    metrics.calls("introspection", "km", "ok", 0.5)
    metrics.calls("introspection", "km", "unavailable", 1.0)
    metrics.calls("jwks", "km", "ok", 0.25)
    assert metrics.outgoing == {
        ("introspection", "km", "ok"): 1,
        ("introspection", "km", "unavailable"): 1,
        ("jwks", "km", "ok"): 1,
    }
    assert {kind: histogram.sum for kind, histogram in metrics.outgoing_seconds.items()} == {
        "introspection": 1.5,
        "jwks": 0.25,
    }


def test_stages_are_timed_by_name():
    metrics = Metrics()
    metrics.stage("authenticate", 0.5)
    metrics.stage("authenticate", 0.25)
    metrics.stage("locate", 1.0)
    assert {name: histogram.sum for name, histogram in metrics.stages.items()} == {"authenticate": 0.75, "locate": 1.0}


def test_no_word_of_our_own_code_grows_without_bound():
    metrics = Metrics()
    for number in range(1000):
        metrics.stage(f"stage {number}", 0.001)
        metrics.calls(f"kind {number}", "km", f"outcome {number}", 0.001)
    series = (metrics.stages.keys(), metrics.outgoing.keys())
    assert max(map(len, series)) <= 31
    assert sum(metrics.outgoing.values()) == 1000
    assert metrics.stages["other"].buckets()[-1][1] + len(metrics.stages) - 1 == 1000


@pytest.mark.parametrize(
    ("value", "counts"),
    [(0.0, [1, 1, 1]), (1.0, [1, 1, 1]), (1.001, [0, 1, 1]), (2.0, [0, 1, 1]), (2.001, [0, 0, 1])],
)
def test_an_upper_end_belongs_to_its_bucket_and_counts_add_up(value, counts):
    histogram = Histogram((1.0, 2.0))
    histogram.observe(value)
    assert histogram.buckets() == list(zip(("1.0", "2.0", "+Inf"), counts, strict=True))
    assert histogram.sum == value
