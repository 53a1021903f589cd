"""The examples of the JOSE standards (`tests/vectors/`): what they call valid is, unless we refuse its kind."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SIGNATURE_ALGORITHMS
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import VerificationKey, verification_key
from extauthz.oauth2.jwk_set import parse_jwks
from extauthz.oauth2.jws import signed, verified_payload
from extauthz.oauth2.jwt import parse, verify

_FOLDER = Path(__file__).parents[2] / "vectors"
JWS: dict[str, Any] = json.loads((_FOLDER / "jws.json").read_text(encoding="utf-8"))
JWK: dict[str, Any] = json.loads((_FOLDER / "jwk.json").read_text(encoding="utf-8"))


def each(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=[vector["source"] for vector in vectors])


def key_of(vector) -> VerificationKey:
    key = verification_key(vector["key"])
    assert key is not None
    return key


def accepted(token: str) -> bool:
    """With any key of the examples, and every algorithm allowed."""
    return any(accepted_with(key_of(vector), token) for vector in JWS["valid"])


def accepted_with(key: VerificationKey, token: str) -> bool:
    try:
        jwt = parse(token)
        assert jwt is not None
        verify(jwt, key, SIGNATURE_ALGORITHMS)
    except Denied as denied:
        return denied.reason is not Reason.INVALID_TOKEN
    return True


@each(JWS["valid"])
def test_a_signature_of_the_standards_is_valid(vector):
    assert verified_payload(vector["token"], key_of(vector), vector["alg"]) == vector["payload"].encode()


@each(JWS["valid"])
def test_a_signature_of_the_standards_is_valid_for_no_other_algorithm_key_or_content(vector):
    header, _, signature = vector["token"].split(".")
    changed = f"{header}.{base64url.encode(b'{}')}.{signature}"
    others = [key_of(other) for other in JWS["valid"] if other is not vector]
    attempts = [(vector["token"], key, vector["alg"]) for key in others]
    attempts += [(vector["token"], key_of(vector), alg) for alg in SIGNATURE_ALGORITHMS - {vector["alg"]}]
    for token, key, alg in [*attempts, (changed, key_of(vector), vector["alg"])]:
        with pytest.raises(Denied):
            verified_payload(token, key, alg)


@pytest.mark.parametrize("source", ["RFC 7515 Appendix A.2", "RFC 7515 Appendix A.3"])
def test_a_signed_jwt_of_the_standards_has_its_claims(source):
    [vector] = [vector for vector in JWS["valid"] if vector["source"] == source]
    jwt = parse(vector["token"])
    assert jwt is not None
    assert jwt.issuer == "joe"
    claims = verify(jwt, key_of(vector), frozenset({vector["alg"]})).claims
    assert claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


@each(JWS["refused"])
def test_an_example_of_a_kind_that_is_refused_is_refused(vector):
    assert accepted(JWS["valid"][0]["token"])
    assert not accepted(vector["token"])


def test_the_example_with_a_shared_secret_is_refused_for_that_and_not_for_a_slip_of_the_pen():
    vector = JWS["hmac"]
    signing_input, _, signature = vector["token"].rpartition(".")
    secret = base64url.decode(vector["key"]["k"])
    assert base64url.encode(hmac.digest(secret, signing_input.encode(), hashlib.sha256)) == signature
    assert verification_key(vector["key"]) is None
    assert vector["token"] in [refused["token"] for refused in JWS["refused"]]


def test_signing_makes_the_signature_of_the_standard():
    """RFC 8032 §5.1.6: a signature with Ed25519 has no randomness."""
    vector = JWS["signing"]
    key = Ed25519PrivateKey.from_private_bytes(base64url.decode(vector["key"]["d"]))
    assert signed(vector["payload"].encode(), key, vector["alg"], {"typ": ""}) == vector["token"]


@each(JWK["sets"])
def test_of_a_set_of_the_standards_only_public_signature_keys_are_used(vector):
    keys = parse_jwks(json.dumps(vector["jwks"]).encode()).keys
    assert [key.kid for key in keys] == vector["usable"]


@each(JWK["thumbprints"])
def test_a_thumbprint_of_the_standards_is_ours(vector):
    assert key_of(vector).thumbprint == vector["sha256"]


def test_the_key_beside_a_certificate_chain_is_the_keys_own():
    """RFC 7517 §4.7: `x5c` brings no trust of its own."""
    [vector] = [vector for vector in JWK["sets"] if vector["source"] == "RFC 7517 Appendix B"]
    [jwk] = vector["jwks"]["keys"]
    with_chain, without = verification_key(jwk), verification_key({**jwk, "x5c": []})
    assert with_chain is not None
    assert without is not None
    assert with_chain.thumbprint == without.thumbprint
