import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from support.catalogs import contents

from extauthz.cli.check.meanings import MEANINGS
from extauthz.cli.check.source import Asked, Told
from extauthz.cli.check.stages import REFUSED_AT, Outcome, StageName, explained
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy_client.answer import answer_of
from extauthz.model.api import ResourceMatch
from extauthz.model.check import Allow, Deny
from extauthz.model.errors import Reason

API = contents().apis[0]
SOMEWHERE = {Reason.UNAVAILABLE, Reason.INTERNAL}


def told(decision, *, by_replica=False, **more):
    response = ResponseBuilder(ResponsePolicy(dpop_algorithms=frozenset({"ES256"}))).response(decision)
    answer = answer_of(CheckResponse.FromString(response))
    return Told(answer=answer, decision=None if by_replica else decision, seconds=0.001, **more)


def outcomes(stages):
    return {stage.name: stage.outcome for stage in stages}


def test_every_reason_belongs_to_a_stage_or_may_come_from_anywhere():
    assert set(REFUSED_AT) | SOMEWHERE == set(Reason) == set(MEANINGS)


@pytest.mark.parametrize("by_replica", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_stands_in_one_stage_and_nothing_after_it_was_passed(reason, by_replica):
    stages = explained(told(Deny(reason=reason), by_replica=by_replica))
    assert [stage.name for stage in stages] == list(StageName)
    found = [stage.outcome for stage in stages]
    if reason in SOMEWHERE:
        assert set(found) == {Outcome.NOT_TOLD}
    else:
        place = found.index(Outcome.REFUSED)
        assert set(found[:place]) <= {Outcome.PASSED}
        assert set(found[place + 1 :]) <= {Outcome.NOT_REACHED, Outcome.NOT_TOLD}


def test_the_decision_tells_more_than_the_answer():
    deny = Deny(
        reason=Reason.INSUFFICIENT_SCOPE,
        detail="not any of the scopes of /pets",
        scopes=frozenset({"read"}),
        api=API,
        resource=API.resources[0],
    )
    by_decision, by_answer = explained(told(deny)), explained(told(deny, by_replica=True))
    assert outcomes(by_decision) == outcomes(by_answer)
    said = {stage.name: stage.said for stage in by_decision}
    assert said[StageName.API] == "petstore at /petstore/v1, /pets"
    assert said[StageName.SCOPES] == "not any of the scopes of /pets; scopes that would have done: read"
    assert by_answer[4].said == MEANINGS[Reason.INSUFFICIENT_SCOPE]


def test_an_open_resource_needs_no_caller():
    stages = explained(told(Allow(match=ResourceMatch(api=API, resource=API.resources[2]))))
    assert outcomes(stages) == {
        StageName.API: Outcome.PASSED,
        StageName.CREDENTIAL: Outcome.NOT_NEEDED,
        StageName.CALLER: Outcome.NOT_NEEDED,
        StageName.SUBSCRIPTION: Outcome.NOT_NEEDED,
        StageName.SCOPES: Outcome.NOT_NEEDED,
        StageName.UPSTREAM: Outcome.PASSED,
    }
    assert "removes authorization" in stages[-1].said


@pytest.mark.parametrize("reason", [Reason.TOKEN_EXPIRED, Reason.INSUFFICIENT_SCOPE])
def test_the_stage_of_the_credential_tells_whose_token_it_is_and_who_was_asked(reason):
    asked = Asked(caches=["not in the jwt cache (memory)"], calls=["jwks of km: ok"])
    stage = explained(told(Deny(reason=reason, detail="why", key_manager="km"), asked=asked))[1]
    assert stage.said.endswith("token of key manager km; not in the jwt cache (memory); asked for jwks of km: ok")
    assert ("why" in stage.said) is (reason is Reason.TOKEN_EXPIRED)
