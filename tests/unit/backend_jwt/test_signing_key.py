"""Keys that may sign, and what is published of them."""

import base64
import hashlib
import json
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from support.signing_keys import self_signed_certificate

from extauthz.backend_jwt.jwks import jwk_set
from extauthz.backend_jwt.key_certificate import KeyCertificate
from extauthz.backend_jwt.signing_key import SigningKey


def unpadded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


@pytest.mark.parametrize(
    ("fixture", "algorithm", "problem"),
    [
        ("rsa_pem", "ES256", "P-256"),
        ("ec_pem", "RS256", "RSA private key"),
        ("p384_pem", "ES256", "P-256"),
        ("small_rsa_pem", "RS256", "1024 bits, at least 2048"),
        ("ec_pem", "EdDSA", "Ed25519 private key"),
        ("ed25519_pem", "RS256", "RSA private key"),
        ("ed25519_pem", "ES256", "P-256"),
        ("rsa_pem", "HS256", "not one of RS256, ES256, EdDSA"),
        ("rsa_pem", "none", "not one of RS256, ES256, EdDSA"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(request, fixture, algorithm, problem):
    with pytest.raises(ValueError, match=problem):
        SigningKey(request.getfixturevalue(fixture), algorithm)


@pytest.mark.parametrize("pem", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_without_repeating_it(pem):
    with pytest.raises(ValueError, match="not PEM") as refused:
        SigningKey(pem, "RS256")

    assert not pem or pem.decode() not in str(refused.value)


def test_a_public_key_is_refused(rsa_pem):
    public = load_pem_private_key(rsa_pem, None).public_key()

    with pytest.raises(ValueError, match="not PEM"):
        SigningKey(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "RS256")


def test_an_encrypted_key_is_refused():
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))

    with pytest.raises(ValueError, match="encrypted"):
        SigningKey(pem, "ES256")


def test_kid_is_the_rfc_7638_thumbprint(rsa_pem):
    key = SigningKey(rsa_pem, "RS256")
    canonical = f'{{"e":"{key.public_jwk["e"]}","kty":"RSA","n":"{key.public_jwk["n"]}"}}'

    assert key.kid == unpadded(hashlib.sha256(canonical.encode()).digest())
    assert SigningKey(rsa_pem, "RS256").kid == key.kid


def test_only_the_public_half_is_published(rsa_pem, ec_pem):
    rsa, ec_key = jwk_set([SigningKey(rsa_pem, "RS256"), SigningKey(ec_pem, "ES256")])["keys"]

    assert set(rsa) == {"kty", "n", "e", "kid", "use", "alg"}
    assert set(ec_key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert [(jwk["use"], jwk["alg"]) for jwk in (rsa, ec_key)] == [("sig", "RS256"), ("sig", "ES256")]


def test_an_ed25519_key_is_published_as_rfc_8037_has_it(ed25519_pem):
    key = SigningKey(ed25519_pem, "EdDSA")
    raw = _key(ed25519_pem).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    assert key.public_jwk == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": unpadded(raw),
        "kid": key.kid,
        "use": "sig",
        "alg": "EdDSA",
    }


def test_an_ed448_key_is_refused():
    with pytest.raises(ValueError, match="Ed25519"):
        SigningKey(_pem(ed448.Ed448PrivateKey.generate()), "EdDSA")


@pytest.mark.parametrize(
    ("fixture", "algorithm"), [("rsa_pem", "RS256"), ("ec_pem", "ES256"), ("ed25519_pem", "EdDSA")]
)
def test_with_a_certificate_the_key_can_be_found_by_it(request, fixture, algorithm):
    pem = request.getfixturevalue(fixture)
    certificate = self_signed_certificate(_key(pem)).encode()
    key = SigningKey(pem, algorithm, KeyCertificate(certificate))
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    thumbprint = unpadded(hashlib.sha256(der).digest())

    header = jwt.get_unverified_header(key.sign({"sub": "alice"}))
    assert header == {"typ": "JWT", "alg": algorithm, "kid": key.kid, "x5t#S256": thumbprint}
    assert key.public_jwk["x5t#S256"] == thumbprint
    # RFC 7517 §4.7: base64 with its own alphabet and padding.
    assert key.public_jwk["x5c"] == [base64.b64encode(der).decode()]


def test_the_whole_chain_is_published_and_the_first_is_named(ec_pem, rsa_pem):
    own, authority = (self_signed_certificate(_key(pem)) for pem in (ec_pem, rsa_pem))
    alone = SigningKey(ec_pem, "ES256", KeyCertificate(own.encode()))
    chained = SigningKey(ec_pem, "ES256", KeyCertificate((own + authority).encode()))

    assert chained.public_jwk["x5t#S256"] == alone.public_jwk["x5t#S256"]
    assert len(chained.public_jwk["x5c"]) == 2
    assert chained.public_jwk["x5c"][0] == alone.public_jwk["x5c"][0]


def test_the_certificate_of_another_key_is_refused(ec_pem, rsa_pem):
    other = KeyCertificate(self_signed_certificate(_key(rsa_pem)).encode())

    with pytest.raises(ValueError, match="not that of the key"):
        SigningKey(ec_pem, "ES256", other)


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(pem):
    with pytest.raises(ValueError, match="not a PEM certificate"):
        KeyCertificate(pem)


def test_coordinates_have_the_full_length_of_the_curve():
    key = ec.derive_private_key(_scalar_with_short_x(), ec.SECP256R1())
    assert key.public_key().public_numbers().x < 1 << 248

    jwk = SigningKey(_pem(key), "ES256").public_jwk
    assert len(base64.urlsafe_b64decode(jwk["x"] + "=")) == 32


def test_a_key_is_published_once_and_the_set_is_json(rsa_pem, ec_pem):
    keys = [SigningKey(rsa_pem, "RS256"), SigningKey(ec_pem, "ES256"), SigningKey(rsa_pem, "RS256")]

    assert [jwk["kid"] for jwk in json.loads(json.dumps(jwk_set(keys)))["keys"]] == [keys[0].kid, keys[1].kid]


def test_a_key_does_not_print_itself(rsa_pem):
    key = SigningKey(rsa_pem, "RS256")

    assert repr(key) == f"<SigningKey RS256 {key.kid}>"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_claims_that_are_not_json_are_not_signed(ec_pem, value):
    with pytest.raises(ValueError):
        SigningKey(ec_pem, "ES256").sign({"odd": value})


def _key(pem: bytes) -> Any:
    return load_pem_private_key(pem, None)


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _scalar_with_short_x() -> int:
    """One in 256 points has an x that begins with a zero octet."""
    return next(
        scalar
        for scalar in range(2, 10_000)
        if ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers().x < 1 << 248
    )
