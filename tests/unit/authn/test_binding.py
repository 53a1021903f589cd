"""Which bindings a token must have, and what it takes to use it; one table for all of it."""

from typing import Any

import pytest
from support.catalogs import request

from extauthz.authn.binding import BindingCheck
from extauthz.model.check import BearerToken, Principal, TokenScheme
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import Binding, KeyManager
from extauthz.model.token import TokenFacts, TokenForm

MINE, OTHER = "m" * 43, "o" * 43
BEARER, DPOP = TokenScheme.BEARER, TokenScheme.DPOP
NEITHER: dict[str, Any] = {}
CERTIFICATE = {"cnf": {"x5t#S256": MINE}}
KEY = {"cnf": {"jkt": MINE}}
BOTH = {"cnf": {"x5t#S256": MINE, "jkt": MINE}}


class Proofs:
    """Accepts one key, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    async def verify(self, request, token, jkt):
        self.asked.append(jkt)
        if jkt != MINE:
            raise Denied(Reason.INVALID_DPOP_PROOF)


async def verified(check, token, principal):
    """Waits for the proof, if there is one."""
    proof = check.verify(request(), token, principal)
    if proof is not None:
        await proof


async def verify(claims, scheme=BEARER, *, required=Binding.NONE, shown=MINE, dpop=None, **facts):
    """None, or the reason for a refusal."""
    key_manager = KeyManager(id="km", issuer="i", binding=required, claim_mapping=facts.pop("claim_mapping", {}))
    told: dict[str, Any] = {"form": TokenForm.JWT, "believe_until": 2e9, "claims": claims} | facts
    principal = Principal(key_manager=key_manager, facts=TokenFacts(**told), token_key=b"k")
    check = BindingCheck(certificate=lambda _: shown, dpop=dpop or Proofs())
    try:
        await verified(check, BearerToken(value="t", scheme=scheme), principal)
    except Denied as denied:
        return denied.reason
    return None


@pytest.mark.parametrize(
    ("claims", "scheme", "required", "good"),
    [
        (NEITHER, BEARER, Binding.NONE, True),
        (NEITHER, BEARER, Binding.CERTIFICATE, False),
        (NEITHER, BEARER, Binding.DPOP, False),
        (NEITHER, BEARER, Binding.ANY, False),
        (NEITHER, DPOP, Binding.NONE, False),
        (CERTIFICATE, BEARER, Binding.NONE, True),
        (CERTIFICATE, BEARER, Binding.CERTIFICATE, True),
        (CERTIFICATE, BEARER, Binding.DPOP, False),
        (CERTIFICATE, BEARER, Binding.ANY, True),
        (CERTIFICATE, DPOP, Binding.NONE, False),
        (KEY, DPOP, Binding.NONE, True),
        (KEY, DPOP, Binding.CERTIFICATE, False),
        (KEY, DPOP, Binding.DPOP, True),
        (KEY, DPOP, Binding.ANY, True),
        (KEY, BEARER, Binding.NONE, False),
        (KEY, BEARER, Binding.DPOP, False),
        (BOTH, DPOP, Binding.NONE, True),
        (BOTH, DPOP, Binding.CERTIFICATE, True),
        (BOTH, DPOP, Binding.DPOP, True),
        (BOTH, BEARER, Binding.CERTIFICATE, False),
    ],
)
async def test_a_token_needs_the_binding_that_is_required_and_the_scheme_of_its_own(claims, scheme, required, good):
    assert await verify(claims, scheme, required=required) is (None if good else Reason.INVALID_TOKEN)


@pytest.mark.parametrize("shown", [OTHER, None, ""])
@pytest.mark.parametrize(("claims", "scheme"), [(CERTIFICATE, BEARER), (BOTH, DPOP)])
async def test_a_token_that_is_bound_to_another_certificate_is_refused(claims, scheme, shown):
    assert await verify(claims, scheme, shown=shown) is Reason.INVALID_TOKEN


async def test_a_token_that_is_bound_twice_needs_both():
    claims = {"cnf": {"x5t#S256": MINE, "jkt": OTHER}}
    assert await verify(claims, DPOP) is Reason.INVALID_DPOP_PROOF


async def test_the_proof_is_looked_at_last():
    """It leaves a trace in the memory of used proofs; a request that is refused anyway must leave none."""
    proofs = Proofs()
    await verify(BOTH, DPOP, shown=OTHER, dpop=proofs)
    await verify(BOTH, DPOP, required=Binding.CERTIFICATE, shown=None, dpop=proofs)
    assert proofs.asked == []
    await verify(BOTH, DPOP, dpop=proofs)
    assert proofs.asked == [MINE]


async def test_a_malformed_certificate_is_a_refusal():
    def malformed(_):
        raise ValueError("no certificate")

    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, claims=CERTIFICATE)
    principal = Principal(key_manager=KeyManager(id="km", issuer="i"), facts=facts, token_key=b"k")
    with pytest.raises(Denied) as caught:
        await verified(BindingCheck(certificate=malformed, dpop=None), BearerToken(value="t"), principal)
    assert caught.value.reason is Reason.INVALID_TOKEN


async def test_a_certificate_is_not_looked_at_unless_the_token_asks():
    def looked_at(_):
        raise AssertionError

    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9)
    principal = Principal(key_manager=KeyManager(id="km", issuer="i"), facts=facts, token_key=b"k")
    await verified(BindingCheck(certificate=looked_at, dpop=None), BearerToken(value="t"), principal)


@pytest.mark.parametrize("scheme", [BEARER, DPOP])
async def test_a_token_that_is_bound_to_a_key_is_refused_where_dpop_is_off(scheme):
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, claims=KEY)
    principal = Principal(key_manager=KeyManager(id="km", issuer="i"), facts=facts, token_key=b"k")
    check = BindingCheck(certificate=lambda _: MINE, dpop=None)
    with pytest.raises(Denied) as caught:
        await verified(check, BearerToken(value="t", scheme=scheme), principal)
    assert caught.value.reason is Reason.INVALID_TOKEN


@pytest.mark.parametrize("cnf", [None, {}, {"kid": "k"}, {"x5t#S256": MINE, "kid": "k"}, {"jkt": "short"}])
@pytest.mark.parametrize("scheme", [BEARER, DPOP])
async def test_a_cnf_that_cannot_be_verified_is_refused(cnf, scheme):
    assert await verify({"cnf": cnf}, scheme) is Reason.INVALID_TOKEN


async def test_introspection_that_calls_a_token_dpop_must_name_its_key():
    introspected: dict[str, Any] = {"form": TokenForm.INTROSPECTED, "token_type": "DPoP"}
    assert await verify(NEITHER, BEARER, **introspected) is Reason.INVALID_TOKEN
    assert await verify(KEY, DPOP, **introspected) is None


@pytest.mark.parametrize("mapping", [{"cnf": "other"}, {"other": "cnf"}])
async def test_a_claim_mapping_that_could_hide_a_binding_is_refused(mapping):
    assert await verify(NEITHER, claim_mapping=mapping) is Reason.INVALID_TOKEN
    assert await verify(NEITHER, claim_mapping={"uid": "sub"}) is None
