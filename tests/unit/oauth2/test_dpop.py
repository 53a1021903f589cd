"""RFC 9449 §4.3, check by check, on the RFC's own proofs and on hostile ones."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm
from support.dpop_client import DpopClient
from support.signing_keys import private_key

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2.dpop import MAX_PROOF_LENGTH, ProofRules, ProvenRequest, verified_proof
from extauthz.oauth2.target_uri import parsed

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/rfc9449.json").read_text(encoding="utf-8"))
NOW = 1_700_000_000.0
URI = "https://api.example.com/petstore/v1/pets"
TOKEN = "an.access.token"
CLIENT = DpopClient(clock=lambda: NOW)


def verified(proof, *, method="GET", uri=URI, token=TOKEN, now=NOW, rules=None, jkt=CLIENT.jkt):
    request = ProvenRequest(method=method, uri=parsed(uri), access_token=token)
    return verified_proof(proof, request, rules or ProofRules(), now, jkt=jkt)


def refused(proof, **request):
    with pytest.raises(Denied) as caught:
        verified(proof, **request)
    assert caught.value.reason is Reason.INVALID_DPOP_PROOF
    return caught.value.detail


def encoded(document):
    return base64.urlsafe_b64encode(document).rstrip(b"=").decode()


def test_the_rfcs_resource_request_is_verified():
    vector = VECTORS["resource_request"]
    proof = verified(
        vector["proof"],
        method=vector["method"],
        uri=vector["uri"],
        token=vector["access_token"],
        now=vector["iat"] + 1,
        jkt=VECTORS["jkt"],
    )
    assert (proof.jkt, proof.jti, proof.nonce) == (VECTORS["jkt"], vector["jti"], None)


def test_the_rfcs_token_request_is_no_proof_for_a_resource():
    """It is signed by the same key, but for no access token."""
    vector = VECTORS["token_request"]
    detail = refused(vector["proof"], method=vector["method"], uri=vector["uri"], now=vector["iat"])
    assert "`ath`" in detail


@pytest.mark.parametrize("change", [{"method": "POST"}, {"uri": "https://resource.example.org/other"}, {"token": "x"}])
def test_the_rfcs_proof_is_for_its_own_request_only(change):
    vector = VECTORS["resource_request"]
    request = {"method": "GET", "uri": vector["uri"], "token": vector["access_token"], "now": vector["iat"]}
    request["jkt"] = VECTORS["jkt"]
    verified(vector["proof"], **request)
    refused(vector["proof"], **request | change)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256"])
def test_a_proof_of_every_allowed_algorithm_is_verified(alg):
    client = DpopClient(alg, clock=lambda: NOW)
    proof = verified(client.proof(TOKEN, nonce="n"), rules=ProofRules(algorithms=frozenset({alg})), jkt=client.jkt)
    assert (proof.jkt, proof.nonce) == (client.jkt, "n")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"htm": "POST"}, "htm"),
        ({"htm": "get"}, "htm"),
        ({"htm": None}, "htm"),
        ({"htm": ["GET"]}, "htm"),
        ({"htu": URI + "/"}, "htu"),
        ({"htu": URI.replace("https", "http")}, "htu"),
        ({"htu": URI.replace("api.", "other.")}, "htu"),
        ({"htu": URI.replace(".com", ".com:8443")}, "htu"),
        ({"htu": URI.replace("//", "//user@")}, "htu"),
        ({"htu": "/petstore/v1/pets"}, "htu"),
        ({"htu": ""}, "htu"),
        ({"htu": None}, "htu"),
        ({"htu": 1}, "htu"),
        ({"ath": None}, "ath"),
        ({"ath": ""}, "ath"),
        ({"ath": 1}, "ath"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 1}, "jti"),
        ({"iat": None}, "iat"),
        ({"iat": str(NOW)}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": NOW - 60.001}, "older"),
        ({"iat": NOW + 5.001}, "future"),
        ({"iat": 10**400}, "future"),
        ({"iat": -(10**400)}, "older"),
    ],
)
def test_a_proof_with_a_wrong_claim_is_refused(claims, words):
    assert words in refused(CLIENT.proof(TOKEN, **claims))


@pytest.mark.parametrize("iat", [NOW - 60, NOW, NOW + 5])
def test_a_proof_is_good_up_to_the_edges_of_its_window(iat):
    assert verified(CLIENT.proof(TOKEN, iat=iat)).jkt == CLIENT.jkt


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"typ": None}, "typ"),
        ({"typ": "JWT"}, "typ"),
        ({"typ": "application/dpop+jwt"}, "typ"),
        ({"typ": ["dpop+jwt"]}, "typ"),
        ({"jwk": None}, "jwk"),
        ({"jwk": "key"}, "jwk"),
        ({"jwk": {}}, "jwk"),
        ({"jwk": CLIENT.jwk | {"y": "AAAA"}}, "jwk"),
        ({"jwk": CLIENT.jwk | {"alg": "ES384"}}, "jwk"),
        ({"jwk": CLIENT.jwk | {"use": "enc"}}, "jwk"),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, "jwk"),
        ({"crit": ["exp"], "exp": 1}, "header"),
        ({"jku": "https://attacker.example"}, "header"),
        ({"x5u": "https://attacker.example"}, "header"),
    ],
)
def test_a_proof_with_a_wrong_header_is_refused(header, words):
    assert words in refused(CLIENT.proof(TOKEN, header=header))


def test_a_proof_that_brings_a_private_key_is_refused():
    key = private_key("ES256", "leaked")
    jwk = json.loads(ECAlgorithm.to_jwk(key))  # type: ignore[arg-type]
    assert "d" in jwk
    assert "private" in refused(CLIENT.proof(TOKEN, header={"jwk": jwk}, key=key))


@pytest.mark.parametrize("member", ["p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_key_with_any_private_member_is_refused(member):
    assert "private" in refused(CLIENT.proof(TOKEN, header={"jwk": CLIENT.jwk | {member: "AQAB"}}))


def test_a_proof_that_is_signed_with_another_key_than_its_own_is_refused():
    assert "signature" in refused(CLIENT.proof(TOKEN, key=private_key("ES256", "thief")))


def test_the_signature_of_a_key_that_the_token_is_not_bound_to_is_not_looked_at():
    stranger = DpopClient(clock=lambda: NOW)
    for proof in (stranger.proof(TOKEN), stranger.proof(TOKEN).rpartition(".")[0] + ".AAAA"):
        with pytest.raises(Denied, match="another key") as caught:
            verified(proof)
        assert caught.value.reason is Reason.INVALID_TOKEN
    assert "`htm`" in refused(stranger.proof(TOKEN, htm="POST"))


def test_a_weak_rsa_key_is_refused():
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    numbers = weak.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": encoded(numbers.n.to_bytes(128, "big")), "e": "AQAB"}
    header = {"typ": "dpop+jwt", "alg": "RS256", "jwk": jwk}
    assert "jwk" in refused(f"{encoded(json.dumps(header).encode())}.{encoded(b'{}')}.{encoded(b'x' * 128)}")


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "dir", "", None, 1, ["ES256"]])
def test_a_proof_of_another_algorithm_is_refused(alg):
    header: dict[str, Any] = {"typ": "dpop+jwt", "alg": alg, "jwk": CLIENT.jwk}
    _, payload, signature = CLIENT.proof(TOKEN).split(".")
    for forged in (signature, ""):
        assert "alg" in refused(f"{encoded(json.dumps(header).encode())}.{payload}.{forged}")


def test_a_good_proof_of_an_algorithm_that_is_not_accepted_is_refused():
    client = DpopClient("ES384", clock=lambda: NOW)
    assert "dpop.algorithms" in refused(client.proof(TOKEN))
    rules = ProofRules(algorithms=frozenset({"ES384"}))
    assert verified(client.proof(TOKEN), rules=rules, jkt=client.jkt).jkt == client.jkt


def test_a_detached_payload_is_refused():
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": CLIENT.jwk, "b64": False}
    assert "header" in refused(f"{encoded(json.dumps(header).encode())}..AAAA")


@pytest.mark.parametrize(
    "proof",
    ["", ".", "..", "a.b.c", "a.b", "e30.e30.e30", "e30.e30.e30.e30.e30", "W10.e30.AA", "é.e30.AA", "a" * 9000],
)
def test_what_is_no_proof_is_refused(proof):
    refused(proof)


def test_two_proofs_are_refused():
    """RFC 9449 §4.3, check 1; Envoy joins repeated headers with a comma."""
    assert "several" in refused(f"{CLIENT.proof(TOKEN)},{CLIENT.proof(TOKEN)}")


def test_a_proof_that_is_too_long_is_refused_unread():
    assert "longer" in refused(CLIENT.proof(TOKEN, jti="j" * MAX_PROOF_LENGTH))


def test_duplicate_members_are_refused():
    header, _, signature = CLIENT.proof(TOKEN).split(".")
    doubled = '{"typ":"dpop+jwt","alg":"ES256","alg":"ES256"}'
    assert "header" in refused(f"{encoded(doubled.encode())}.{header}.{signature}")


@pytest.mark.parametrize("htu", [URI + "?page=2", URI + "#top", URI.replace("https://api", "HTTPS://API")])
def test_the_uri_is_compared_without_query_and_in_one_spelling(htu):
    assert verified(CLIENT.proof(TOKEN, htu=htu)).jkt == CLIENT.jkt


def test_no_token_is_in_a_representation():
    assert TOKEN not in repr(ProvenRequest(method="GET", uri=URI, access_token=TOKEN))


@given(st.text(max_size=200))
def test_no_text_makes_anything_but_a_refusal(text):
    refused(text)


@given(st.text(max_size=50), st.sampled_from([0, 1, 2]))
def test_no_part_of_a_proof_can_be_replaced(text, part):
    parts = CLIENT.proof(TOKEN).split(".")
    if parts[part] != text:
        refused(".".join([*parts[:part], text, *parts[part + 1 :]]))
