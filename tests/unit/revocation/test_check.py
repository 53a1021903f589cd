"""Which tokens are revoked."""

from typing import Any

import pytest
from support.revocations import HeldRevocations

from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.revocation import Revocation, RevocationForm

NOW = 10_000.0
TOKEN = "token"
KM = KeyManager(id="km", issuer="https://issuer")
FACTS: dict[str, Any] = {"token_id": "jti", "client_id": "client", "subject": "alice", "issued_at": 5000.0}


@pytest.fixture
def held():
    return HeldRevocations.alone(lambda: NOW)


def facts(**members):
    return TokenFacts(form=TokenForm.JWT, believe_until=NOW + 10, **(FACTS | members))


def revocation(form, value, /, **parts):
    times = {"issued_until": 5000.0} if form in {RevocationForm.CLIENT, RevocationForm.SUBJECT} else {}
    return Revocation(**({"key_manager": "km", "form": form, "value": value} | times | parts))


ALL = [
    (RevocationForm.TOKEN, "token"),
    (RevocationForm.TOKEN_ID, "jti"),
    (RevocationForm.CLIENT, "client"),
    (RevocationForm.SUBJECT, "alice"),
]


@pytest.mark.parametrize(("form", "value"), ALL)
async def test_a_token_is_revoked_by_each_form(held, form, value):
    assert not held.check.is_revoked(TOKEN, KM, facts())
    await held.revoker.revoke([revocation(form, value)])
    assert held.check.is_revoked(TOKEN, KM, facts())


@pytest.mark.parametrize(("form", "value"), ALL)
@pytest.mark.parametrize("parts", [{"key_manager": "other"}, {"organization": "other"}, {"value": "other"}])
async def test_a_revocation_elsewhere_or_of_another_is_none(held, form, value, parts):
    await held.revoker.revoke([revocation(form, value, **parts)])
    assert not held.check.is_revoked(TOKEN, KM, facts())


@pytest.mark.parametrize("form", [RevocationForm.CLIENT, RevocationForm.SUBJECT])
@pytest.mark.parametrize(
    ("issued_at", "revoked"), [(4999.0, True), (5000.0, True), (5000.5, False), (5001.0, False), (None, True)]
)
async def test_tokens_that_were_issued_until_then_are_revoked_and_those_that_do_not_say(held, form, issued_at, revoked):
    await held.revoker.revoke([revocation(form, "client" if form is RevocationForm.CLIENT else "alice")])
    assert held.check.is_revoked(TOKEN, KM, facts(issued_at=issued_at)) is revoked


async def test_a_token_without_jti_client_and_subject_is_none_of_them(held):
    for form, value in ALL[1:]:
        await held.revoker.revoke([revocation(form, value)])
    bare = facts(token_id=None, client_id=None, subject=None, issued_at=None)
    assert not held.check.is_revoked(TOKEN, KM, bare)


@pytest.mark.parametrize(("form", "value"), ALL)
async def test_before_anything_is_known_of_a_token_only_its_fingerprint_counts(held, form, value):
    await held.revoker.revoke([revocation(form, value)])
    assert held.check.is_revoked(TOKEN, KM, None) is (form is RevocationForm.TOKEN)


async def test_before_the_past_is_known_nothing_passes(held):
    held.revoked.known = False
    with pytest.raises(Unavailable):
        held.check.is_revoked(TOKEN, KM, facts())


async def test_a_jwt_with_its_signature_in_another_form_is_the_same_token(held):
    await held.revoker.revoke([revocation(RevocationForm.TOKEN, "eyJh.e30.one")])
    assert held.check.is_revoked("eyJh.e30.two", KM, None)
    assert not held.check.is_revoked("eyJh.e31.one", KM, None)
