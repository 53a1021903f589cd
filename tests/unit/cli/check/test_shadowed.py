"""What is let through in shadow mode says so, and where it would have been refused."""

from dataclasses import replace

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from support.catalogs import contents

from extauthz.cli.check.comparison import differences, known_of
from extauthz.cli.check.expectations import ExpectDocument
from extauthz.cli.check.source import Told
from extauthz.cli.check.stages import Outcome, StageName, explained
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy_client.answer import answer_of
from extauthz.model.check import Deny
from extauthz.model.errors import Reason

API = contents().apis[0]
DENY = Deny(reason=Reason.INSUFFICIENT_SCOPE, api=API, resource=API.resources[0], shadow=True)


def told(deny=DENY, *, by_replica=True):
    answer = answer_of(CheckResponse.FromString(ResponseBuilder(ResponsePolicy()).response(deny)))
    # The decision that is heard of in process is that of the pipeline, which knows no shadow mode.
    return Told(answer=answer, decision=None if by_replica else replace(deny, shadow=False), seconds=0.001)


@pytest.mark.parametrize("by_replica", [False, True])
def test_the_stage_that_would_have_refused_is_shown_and_the_upstream_is_reached(by_replica):
    stages = {stage.name: stage for stage in explained(told(by_replica=by_replica))}
    assert list(stages) == list(StageName)
    assert stages[StageName.SCOPES].outcome is Outcome.REFUSED
    assert stages[StageName.API].said.startswith("petstore")
    assert stages[StageName.UPSTREAM].outcome is Outcome.PASSED
    assert stages[StageName.UPSTREAM].said.startswith("in shadow mode: sets nothing; removes authorization")


@pytest.mark.parametrize("by_replica", [False, True])
def test_a_reason_that_belongs_to_no_stage_is_shown_too(by_replica):
    found = told(Deny(reason=Reason.UNAVAILABLE, shadow=True), by_replica=by_replica)
    outcomes = [stage.outcome for stage in explained(found)]
    assert outcomes == [Outcome.NOT_TOLD] * 5 + [Outcome.PASSED]
    assert known_of(found)["reason"] == "unavailable"


def test_who_expects_a_refusal_is_told_of_shadow_mode():
    found = differences(ExpectDocument(decision="deny"), told())
    assert found == ["decision is allow (in shadow mode; insufficient_scope otherwise), not deny"]


def test_a_refusal_that_is_enforced_has_no_reason_of_shadow_mode():
    assert told().answer.shadow_reason is Reason.INSUFFICIENT_SCOPE
    assert told(replace(DENY, shadow=False)).answer.shadow_reason is None
