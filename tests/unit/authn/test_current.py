"""The edges of time, issuer and audience."""

from typing import Any

import pytest
from msgspec.structs import replace as changed

from extauthz.authn.current import believe_until, ensure_access_token, ensure_current
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import BasicAuthentication, Introspection, JwtValidation, KeyManager
from extauthz.model.token import TokenFacts, TokenForm

NOW = 1_000_000.0
KEY_MANAGER = KeyManager(
    id="km",
    issuer="https://issuer",
    clock_skew_seconds=10,
    jwt=JwtValidation(audiences=frozenset({"us", "also-us"}), token_types=frozenset({"at+jwt"})),
    introspection=Introspection(
        endpoint="https://issuer/i", authentication=BasicAuthentication(username="u", password_secret="p")
    ),
)
FACTS = TokenFacts(
    form=TokenForm.JWT,
    believe_until=NOW + 60,
    issuer="https://issuer",
    audiences=frozenset({"us"}),
    expires_at=NOW + 60,
    token_type="at+jwt",
)


def reason(now=NOW, **changes):
    facts = changed(FACTS, **changes)
    try:
        ensure_current(facts, KEY_MANAGER, now)
        ensure_access_token(facts, KEY_MANAGER)
    except Denied as denied:
        return denied.reason
    return None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"expires_at": NOW - 9.999}, None),
        ({"expires_at": NOW - 10}, Reason.TOKEN_EXPIRED),
        ({"not_before": NOW + 10}, None),
        ({"not_before": NOW + 10.001}, Reason.INVALID_TOKEN),
        ({"issuer": "https://issuer/"}, Reason.INVALID_TOKEN),
        ({"issuer": None}, Reason.INVALID_TOKEN),
        ({"audiences": frozenset({"also-us", "them"})}, None),
        ({"audiences": frozenset({"them"})}, Reason.INVALID_TOKEN),
        ({"audiences": frozenset()}, Reason.INVALID_TOKEN),
        ({"refusal": Reason.TOKEN_INACTIVE}, Reason.TOKEN_INACTIVE),
        ({"token_type": "jwt"}, Reason.WRONG_TOKEN_TYPE),
        ({"token_type": None}, Reason.WRONG_TOKEN_TYPE),
    ],
)
def test_a_jwt_is_judged_by_time_issuer_audience_and_type(changes, expected):
    assert reason(**changes) is expected


def test_an_introspection_answer_may_leave_out_issuer_and_end():
    introspected: dict[str, Any] = {
        "form": TokenForm.INTROSPECTED,
        "expires_at": None,
        "audiences": frozenset(),
        "token_type": None,
    }
    assert reason(**introspected, issuer=None) is None
    assert reason(**introspected, issuer="https://other") is Reason.INVALID_TOKEN


@pytest.mark.parametrize(
    ("expires_at", "expected"), [(None, NOW + 300), (NOW + 1000, NOW + 300), (NOW + 60, NOW + 70), (NOW - 20, NOW - 10)]
)
def test_a_fact_is_believed_for_the_cache_time_and_never_past_the_tokens_end(expires_at, expected):
    assert believe_until(expires_at, KEY_MANAGER, NOW, 300) == expected
