"""Signatures: every algorithm that is allowed, and attempts to confuse keys and algorithms."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import api_jws
from support.signing_keys import rsa_private_key

from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SIGNATURE_ALGORITHMS
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import PublicKey, VerificationKey, thumbprint
from extauthz.oauth2.jws import verified_payload

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def key_of(public_key: PublicKey, **members) -> VerificationKey:
    return VerificationKey(public_key=public_key, thumbprint=thumbprint(public_key), **members)


RSA = rsa_private_key("jws")
EC = {
    name: ec.generate_private_key(curve)
    for name, curve in {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}.items()
}
ED25519 = ed25519.Ed25519PrivateKey.generate()
ED448 = ed448.Ed448PrivateKey.generate()
KEYS: dict[str, PrivateKey] = {
    "RSA": RSA,
    "P-256": EC["ES256"],
    "P-384": EC["ES384"],
    "P-521": EC["ES512"],
    "Ed25519": ED25519,
    "Ed448": ED448,
}
FITTING = {
    "RSA": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    "P-256": {"ES256"},
    "P-384": {"ES384"},
    "P-521": {"ES512"},
    "Ed25519": {"EdDSA"},
    "Ed448": {"EdDSA"},
}


@pytest.mark.parametrize(("kind", "alg"), [(kind, alg) for kind, algs in FITTING.items() for alg in sorted(algs)])
def test_every_allowed_algorithm_verifies_with_its_key(kind, alg):
    token = api_jws.encode(b"payload", KEYS[kind], algorithm=alg)
    assert verified_payload(token, key_of(KEYS[kind].public_key()), alg) == b"payload"


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_fits_the_algorithms_of_its_type_and_no_others(kind):
    key = key_of(KEYS[kind].public_key())
    others = {"none", "HS256", "HS384", "HS512", "ES256K", "RSA-OAEP", "ES521", "", "rs256"}
    assert {alg for alg in SIGNATURE_ALGORITHMS | others if key.fits(alg)} == FITTING[kind]


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "HS256", "none"])
def test_a_key_of_the_wrong_type_is_refused(alg):
    token = api_jws.encode(b"payload", RSA, algorithm="RS256")
    with pytest.raises(Denied) as denied:
        verified_payload(token, key_of(RSA.public_key()), alg)
    assert denied.value.reason is Reason.INVALID_TOKEN


def test_a_key_for_one_algorithm_is_not_used_for_another():
    token = api_jws.encode(b"payload", RSA, algorithm="PS256")
    with pytest.raises(Denied):
        verified_payload(token, key_of(RSA.public_key(), alg="RS256"), "PS256")


def test_hs256_with_the_public_key_as_secret_is_refused():
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64url.encode(b'{"alg":"HS256"}')
    signing_input = f"{header}.{base64url.encode(b'{}')}"
    forged = f"{signing_input}.{base64url.encode(hmac.digest(pem, signing_input.encode(), hashlib.sha256))}"
    for alg in ("HS256", "RS256"):
        with pytest.raises(Denied):
            verified_payload(forged, key_of(RSA.public_key()), alg)


def test_an_rsa_key_below_2048_bits_is_refused():
    weak = rsa_private_key("weak", bits=1024)
    with pytest.raises(Denied):
        verified_payload(api_jws.encode(b"payload", RSA, algorithm="RS256"), key_of(weak.public_key()), "RS256")


def test_a_changed_payload_is_refused():
    header, _, signature = api_jws.encode(b"{}", RSA, algorithm="RS256").split(".")
    forged = f"{header}.{base64url.encode(b'[]')}.{signature}"
    with pytest.raises(Denied):
        verified_payload(forged, key_of(RSA.public_key()), "RS256")


@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 86, base64url.encode(bytes(64)), base64url.encode(bytes(256))])
@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_of_zeros_or_of_a_wrong_size_is_refused(kind, signature):
    alg = min(FITTING[kind])
    header, payload, _ = api_jws.encode(b"{}", KEYS[kind], algorithm=alg).split(".")
    with pytest.raises(Denied):
        verified_payload(f"{header}.{payload}.{signature}", key_of(KEYS[kind].public_key()), alg)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é.é.é", "....", "e30.e30.e30", "bnVsbA.e30.AAAA", "\ud800.a.b"]
)
def test_what_is_no_token_is_refused_and_nothing_else_is_raised(token):
    with pytest.raises(Denied):
        verified_payload(token, key_of(RSA.public_key()), "RS256")
