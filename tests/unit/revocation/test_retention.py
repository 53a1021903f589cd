"""How long a revocation is kept, and which tokens would outlive it."""

import pytest

from extauthz.model.errors import Reason
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import Revocation, RevocationForm

NOW, KEPT = 10_000.0, 1000.0


def facts(form=TokenForm.JWT, **times):
    return TokenFacts(form=form, believe_until=NOW + 10, **times)


@pytest.mark.parametrize(
    ("form", "times", "end"),
    [
        (RevocationForm.TOKEN_ID, {"expires_at": NOW + 50}, NOW + 50 + 300),
        (RevocationForm.TOKEN, {"expires_at": NOW + 5000}, NOW + 5000 + 300),
        (RevocationForm.TOKEN, {}, NOW + KEPT + 300),
        (RevocationForm.CLIENT, {"issued_until": NOW - 500}, NOW + KEPT + 300),
        (RevocationForm.SUBJECT, {"issued_until": NOW + 500}, NOW + 500 + KEPT + 300),
    ],
)
def test_an_entry_lives_until_the_tokens_end_or_for_the_retention_and_the_skew_longer(form, times, end):
    revocation = Revocation(key_manager="km", form=form, value="v", **times)
    assert Retention(seconds=KEPT).keep_until(revocation, NOW) == end


@pytest.mark.parametrize(
    ("times", "outlives"),
    [
        ({"expires_at": NOW + 10, "issued_at": NOW + 10 - KEPT}, False),
        ({"expires_at": NOW + 10, "issued_at": NOW + 9 - KEPT}, True),
        ({"expires_at": NOW + KEPT}, False),
        ({"expires_at": NOW + KEPT + 1}, True),
        ({"expires_at": NOW + KEPT + 1, "issued_at": NOW + 100}, True),
        ({}, True),
    ],
    ids=["life", "longer life", "left", "more left", "issued in the future", "no end"],
)
@pytest.mark.parametrize("introspect", [True, False])
def test_a_jwt_outlives_its_revocation_by_its_whole_life(times, outlives, introspect):
    assert Retention(seconds=KEPT, introspect=introspect).outlived_by(facts(**times), NOW) is outlives


@pytest.mark.parametrize(("introspect", "outlives"), [(True, False), (False, True)])
def test_the_issuers_fresh_word_does_where_it_is_asked_for(introspect, outlives):
    told = facts(TokenForm.INTROSPECTED)
    assert Retention(seconds=KEPT, introspect=introspect).outlived_by(told, NOW) is outlives


def test_where_nobody_can_revoke_nothing_is_outlived():
    assert not Retention(seconds=KEPT, introspect=False, binding=False).outlived_by(facts(), NOW)


def test_a_refused_token_outlives_nothing():
    assert not Retention(seconds=KEPT).outlived_by(facts(refusal=Reason.TOKEN_INACTIVE), NOW)
