"""Keys that may sign, and what is published of them."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from extauthz.backend_jwt.jwks import jwk_set
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
        ("rsa_pem", "HS256", "not one of RS256, ES256"),
        ("rsa_pem", "none", "not one of RS256, ES256"),
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


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _scalar_with_short_x() -> int:
    """One in 256 points has an x that begins with a zero octet."""
    return next(
        scalar
        for scalar in range(2, 10_000)
        if ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers().x < 1 << 248
    )
