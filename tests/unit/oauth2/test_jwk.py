"""Keys: what a JWK set or a certificate may contribute."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.signing_keys import SigningKey, rsa_private_key, self_signed_certificate

from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import key_from_certificate, verification_key
from extauthz.oauth2.jwk_set import MAX_KEYS, parse_jwks

RSA_KEY = SigningKey(kid="rsa", alg="RS256", private_key=rsa_private_key("jwk"))
EC_KEY = SigningKey(kid="ec", alg="ES256", private_key=ec.generate_private_key(ec.SECP256R1()))
RSA = RSA_KEY.jwk()
EC = EC_KEY.jwk()


def jwks(*keys) -> bytes:
    return json.dumps({"keys": keys}).encode()


def without(jwk, *names):
    return {name: value for name, value in jwk.items() if name not in names}


def test_a_set_keeps_kid_and_alg():
    keys = parse_jwks(jwks(RSA, EC)).keys
    assert [(key.kid, key.alg) for key in keys] == [("rsa", "RS256"), ("ec", "ES256")]


@pytest.mark.parametrize(
    "useless",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "FUTURE", "kid": "x"},
        {"kty": ["RSA"], "kid": "x"},
        {"kid": "no kty"},
        {**RSA, "use": "enc"},
        {**RSA, "use": 1},
        {**RSA, "key_ops": ["encrypt"]},
        {**RSA, "key_ops": "verify"},
        {**RSA, "alg": "RSA-OAEP"},
        {**RSA, "alg": "HS256"},
        {**RSA, "alg": ["RS256"]},
        {**RSA, "kid": 7},
        {**RSA, "d": "AQAB"},
        {**RSA, "n": ""},
        {**RSA, "n": 17},
        {**RSA, "n": None},
        {**RSA, "e": "AA"},
        {**RSA, "e": "!!"},
        without(RSA, "n"),
        {**EC, "x": EC["y"]},
        {**EC, "x": "AAAA"},
        {**EC, "crv": "P-384"},
        {**EC, "crv": "secp256k1"},
        {**EC, "crv": {"P": 256}},
        {**EC, "alg": "ES512"},
        without(EC, "y"),
        {"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519"},
        None,
        "key",
        [RSA],
    ],
    ids=lambda jwk: json.dumps(jwk)[:60],
)
def test_a_key_that_cannot_verify_is_ignored_and_the_others_stay(useless):
    good = {**RSA, "kid": "good"}
    assert [key.kid for key in parse_jwks(jwks(useless, good)).keys] == ["good"]


def test_a_private_key_in_a_set_is_not_trusted():
    raw = ed25519.Ed25519PrivateKey.generate()
    public = SigningKey(kid="leaked", alg="EdDSA", private_key=raw).jwk()
    assert len(parse_jwks(jwks(public)).keys) == 1
    assert parse_jwks(jwks({**public, "d": "AAAA"})).keys == ()


def test_an_rsa_key_below_2048_bits_is_ignored():
    weak = SigningKey(kid="weak", alg="RS256", private_key=rsa_private_key("weak", bits=1024))
    assert parse_jwks(jwks(weak.jwk())).keys == ()


@pytest.mark.parametrize(
    ("exponent", "accepted"),
    [(3, True), (65537, True), (2**32 - 1, True), (2**32 + 1, False), (2**2047 + 1, False), (65536, False)],
)
def test_an_rsa_exponent_is_odd_and_has_at_most_32_bits(exponent, accepted):
    e = base64url.encode(exponent.to_bytes((exponent.bit_length() + 7) // 8, "big"))
    assert (verification_key({**RSA, "e": e, "n": base64url.encode(b"\xff" * 256)}) is not None) is accepted


def test_a_set_may_be_empty():
    assert parse_jwks(b'{"keys": []}').keys == ()


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b"\xff"])
def test_what_is_no_jwk_set_is_refused(document):
    with pytest.raises(ValueError):
        parse_jwks(document)


def test_a_set_of_too_many_keys_is_refused():
    assert len(parse_jwks(jwks(*[EC] * MAX_KEYS)).keys) == MAX_KEYS
    with pytest.raises(ValueError):
        parse_jwks(jwks(*[EC] * (MAX_KEYS + 1)))


def test_keys_of_two_types_may_share_a_kid():
    keys = parse_jwks(jwks({**RSA, "kid": "k"}, {**EC, "kid": "k"}))
    assert [key.alg for key in keys.matching("k", "ES256")] == ["ES256"]


def test_one_key_under_two_names_counts_once():
    keys = parse_jwks(jwks({**RSA, "kid": "a"}, {**RSA, "kid": "a_RS256"}))
    assert len(keys.matching(None, "RS256")) == 1
    assert len(keys.matching("a", "RS256")) == 1


def test_a_certificate_gives_its_key():
    key = key_from_certificate(self_signed_certificate(RSA_KEY.private_key))
    published = verification_key(RSA)
    assert published is not None
    assert key.thumbprint == published.thumbprint
    assert key.kid is None
    assert key.fits("PS512")


@pytest.mark.parametrize(
    "private_key", [ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()], ids=["EC", "EdDSA"]
)
def test_certificates_of_other_key_types_are_read(private_key):
    assert key_from_certificate(self_signed_certificate(private_key)).thumbprint


@pytest.mark.parametrize("pem", ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"])
def test_what_is_no_certificate_is_refused(pem):
    with pytest.raises(ValueError):
        key_from_certificate(pem)


def test_a_private_key_where_a_certificate_belongs_is_refused():
    pem = EC_KEY.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError):
        key_from_certificate(pem)


def test_two_certificates_in_one_text_are_refused():
    with pytest.raises(ValueError, match="2 certificates"):
        key_from_certificate(self_signed_certificate(RSA_KEY.private_key) * 2)


def test_a_certificate_with_a_weak_key_is_refused_with_the_bounds():
    with pytest.raises(ValueError, match="2048"):
        key_from_certificate(self_signed_certificate(rsa_private_key("weak", bits=1024)))
