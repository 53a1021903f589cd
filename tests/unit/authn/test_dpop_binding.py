"""What a proof must be beside good: for this token's key, with a current nonce, and new."""

import hashlib

import pytest
from support.catalogs import request
from support.dpop_client import DpopClient

from extauthz.authn.dpop_binding import DpopBinding
from extauthz.cache.replay import MemoryReplay
from extauthz.model.check import BearerToken, TokenScheme
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.dpop import ProofRules
from extauthz.oauth2.dpop_nonce import DpopNonces

NOW = 1_700_000_000.0
TOKEN = "an.access.token"
CLIENT = DpopClient(clock=lambda: NOW)


class Remembers:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self, *, first=True, error=None):
        self._first, self._error = first, error
        self.asked = []

    async def is_first_use(self, key, seconds):
        self.asked.append((key, seconds))
        if self._error:
            raise self._error
        return self._first


async def verify(proof, *, replay=None, jkt=CLIENT.jkt, nonces=None, scheme=None, **of_request):
    binding = DpopBinding(
        rules=ProofRules(), replay=replay or Remembers(), clock=lambda: NOW, scheme=scheme, nonces=nonces
    )
    headers = {} if proof is None else {"dpop": proof}
    await binding.verify(request(headers=headers, **of_request), BearerToken(value=TOKEN, scheme=TokenScheme.DPOP), jkt)


async def refused(proof, **settings):
    with pytest.raises(Denied) as caught:
        await verify(proof, **settings)
    return caught.value


async def test_a_good_proof_passes_and_is_remembered_for_longer_than_it_is_accepted():
    replay = Remembers()
    await verify(CLIENT.proof(TOKEN, jti="one"), replay=replay)
    assert replay.asked == [(hashlib.sha256(f"{CLIENT.jkt}one".encode()).digest(), 70.0)]


async def test_a_proof_that_was_used_is_refused():
    assert (await refused(CLIENT.proof(TOKEN), replay=Remembers(first=False))).reason is Reason.INVALID_DPOP_PROOF


async def test_where_nobody_knows_whether_a_proof_was_used_nobody_passes():
    with pytest.raises(Unavailable):
        await verify(CLIENT.proof(TOKEN), replay=Remembers(error=Unavailable("replay memory")))


async def test_without_a_proof_the_reason_is_the_proof():
    assert (await refused(None)).reason is Reason.INVALID_DPOP_PROOF


async def test_a_good_proof_of_another_client_is_refused_as_the_token_is_not_his():
    """RFC 9449 §7.1, figure 15."""
    thief = DpopClient(clock=lambda: NOW)
    assert (await refused(thief.proof(TOKEN))).reason is Reason.INVALID_TOKEN


async def test_a_refused_proof_leaves_no_trace():
    replay = Remembers()
    nonces = DpopNonces([b"s" * 32], lifetime_seconds=60)
    thief = DpopClient(clock=lambda: NOW)
    for proof in (CLIENT.proof("other"), CLIENT.proof(TOKEN, iat=1), thief.proof(TOKEN), CLIENT.proof(TOKEN), "x"):
        await refused(proof, replay=replay, nonces=nonces)
    assert replay.asked == []


async def test_a_client_is_told_the_nonce_that_it_must_use():
    nonces = DpopNonces([b"s" * 32], lifetime_seconds=60)
    told = await refused(CLIENT.proof(TOKEN), nonces=nonces)
    assert told.reason is Reason.USE_DPOP_NONCE
    await verify(CLIENT.proof(TOKEN, nonce=told.dpop_nonce), nonces=nonces)


@pytest.mark.parametrize("nonce", ["", "made up", DpopNonces([b"s" * 32], lifetime_seconds=60).issue(NOW - 61), 1])
async def test_a_nonce_that_is_not_current_is_replaced(nonce):
    nonces = DpopNonces([b"s" * 32], lifetime_seconds=60)
    assert (await refused(CLIENT.proof(TOKEN, nonce=nonce), nonces=nonces)).reason is Reason.USE_DPOP_NONCE


async def test_a_nonce_is_not_asked_of_a_thief():
    nonces = DpopNonces([b"s" * 32], lifetime_seconds=60)
    assert (await refused(DpopClient().proof(TOKEN), nonces=nonces)).reason is Reason.INVALID_DPOP_PROOF


async def test_the_uri_is_the_one_that_envoy_sees():
    proof = CLIENT.proof(TOKEN, uri="https://api.example.com:8443/a", method="PUT")
    await verify(proof, host="API.example.com:8443", path="/a?page=1", method="PUT")
    assert (await refused(proof, host="api.example.com", path="/a", method="PUT")).reason is Reason.INVALID_DPOP_PROOF


async def test_a_scheme_of_the_settings_replaces_that_of_envoy():
    """Where TLS ends before Envoy, Envoy sees http and the client has signed https."""
    proof = CLIENT.proof(TOKEN, uri="http://api.example.com/petstore/v1/pets")
    await verify(proof, scheme="http")


@pytest.mark.parametrize("host", ["", "a/b", "user@host"])
async def test_a_request_without_a_uri_is_refused(host):
    assert (await refused(CLIENT.proof(TOKEN), host=host)).reason is Reason.INVALID_DPOP_PROOF


async def test_two_clients_may_choose_the_same_jti():
    other, replay = DpopClient(clock=lambda: NOW), MemoryReplay(entries=10, clock=lambda: NOW)
    await verify(CLIENT.proof(TOKEN, jti="1"), replay=replay)
    await verify(other.proof(TOKEN, jti="1"), replay=replay, jkt=other.jkt)
    assert (await refused(CLIENT.proof(TOKEN, jti="1"), replay=replay)).reason is Reason.INVALID_DPOP_PROOF
