"""Encrypted tokens: what is opened, and what is refused before and after."""

import json
import zlib
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe
from joserfc.jwk import OctKey, import_key
from jwt import api_jws
from support.signing_keys import rsa_private_key

from extauthz.model.errors import Denied, Reason
from extauthz.model.token import Claims
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwe import MAX_ATTEMPTS, MAX_CONTENT_BYTES, Attempts, JweDecrypter, ensure_replicated
from extauthz.oauth2.jwk import thumbprint
from extauthz.oauth2.jwt import parse

SIGNED = api_jws.encode(
    json.dumps({"iss": "https://issuer", "sub": "alice"}).encode(), rsa_private_key("issuer"), "RS256"
)
RSA = rsa_private_key("encryption")
OLD_RSA = rsa_private_key("old encryption")
EC = ec.generate_private_key(ec.SECP256R1())
X25519 = x25519.X25519PrivateKey.generate()
EVERYTHING = {
    "RSA-OAEP": RSA, "RSA-OAEP-256": RSA, "ECDH-ES": EC, "ECDH-ES+A128KW": EC, "ECDH-ES+A256KW": X25519,
}  # fmt: skip


def kind_of(key: Any) -> Literal["RSA", "EC", "OKP"]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "EC"
    return "OKP" if isinstance(key, x25519.X25519PrivateKey) else "RSA"


def public_pem(key: Any) -> bytes:
    written: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written


def pem(key: Any) -> bytes:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written


def decrypter(*keys, algorithms=("RSA-OAEP-256",), encryptions=("A256GCM",)):
    named = {f"key-{number}": pem(key) for number, key in enumerate(keys or (RSA,), start=1)}
    return JweDecrypter(named, algorithms=frozenset(algorithms), encryptions=frozenset(encryptions))


def encrypted(content=SIGNED, key=RSA, **header):
    protected = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT"} | header
    protected = {name: value for name, value in protected.items() if value is not None}
    public = key if isinstance(key, OctKey) else import_key(public_pem(key), kind_of(key))
    registry = jwe.JWERegistry(algorithms=[protected["alg"], protected["enc"], "DEF"], strict_check_header=False)
    registry.max_ciphertext_length = 10**6
    return jwe.encrypt_compact(protected, content, public, registry=registry)


def opened(token, by=None, attempts=None):
    jwt = parse(token)
    assert jwt is not None
    assert jwt.encrypted
    return (by or decrypter()).open(jwt, attempts)


def refusal(token, by=None):
    with pytest.raises(Denied) as caught:
        opened(token, by)
    assert caught.value.reason is Reason.INVALID_TOKEN
    return caught.value.detail


@pytest.mark.parametrize("alg", EVERYTHING)
@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"])
def test_a_token_is_opened_with_each_algorithm_that_can_be_allowed(alg, enc):
    token = encrypted(key=EVERYTHING[alg], alg=alg, enc=enc)
    inner = opened(token, decrypter(EVERYTHING[alg], algorithms=[alg], encryptions=[enc]))
    assert (inner.token, inner.issuer, inner.encrypted) == (SIGNED, "https://issuer", False)


def test_an_algorithm_that_is_not_configured_is_refused():
    assert "algorithms" in refusal(encrypted(alg="RSA-OAEP"))
    assert "algorithms" in refusal(encrypted(enc="A128GCM"))


@pytest.mark.parametrize("alg", ["RSA1_5", "dir", "PBES2-HS256+A128KW", "A256KW", "none", "RS256", "toString"])
def test_an_algorithm_that_cannot_be_allowed_is_refused_whatever_is_configured(alg):
    header = base64url.encode(json.dumps({"alg": alg, "enc": "A256GCM"}).encode())
    refusal(f"{header}.AA.AA.AA.AA")
    with pytest.raises(ValueError, match="cannot be allowed"):
        decrypter(algorithms=[alg])


def test_a_direct_key_is_refused():
    shared = OctKey.import_key(b"k" * 32)
    refusal(encrypted(key=shared, alg="dir"))


def test_a_compressed_token_is_refused_before_it_is_decrypted():
    assert "zip" in refusal(encrypted(zip="DEF"))
    assert len(zlib.compress(b"x" * 10**6)) < MAX_CONTENT_BYTES  # what it would be otherwise


@pytest.mark.parametrize("name", ["crit", "jku", "jwk", "x5u", "b64"])
def test_a_header_that_brings_a_key_or_changes_the_rules_is_refused(name):
    header, *rest = encrypted().split(".")
    members = json.loads(base64url.decode(header)) | {name: ["exp"]}
    assert name in refusal(".".join([base64url.encode(json.dumps(members).encode()), *rest]))


def test_a_header_that_was_changed_does_not_open():
    header, *rest = encrypted().split(".")
    members = json.loads(base64url.decode(header)) | {"iss": "https://issuer"}
    assert "altered" in refusal(".".join([base64url.encode(json.dumps(members).encode()), *rest]))


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_a_part_that_was_changed_does_not_open(part):
    parts = encrypted().split(".")
    changed = bytearray(base64url.decode(parts[part]))
    changed[0] ^= 1
    parts[part] = base64url.encode(bytes(changed))
    assert "altered" in refusal(".".join(parts))


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_a_part_that_is_missing_does_not_open(part):
    parts = encrypted().split(".")
    parts[part] = ""
    assert "altered" in refusal(".".join(parts))


def test_a_token_for_another_key_does_not_open():
    assert "altered" in refusal(encrypted(key=OLD_RSA))


def test_during_a_rotation_tokens_for_both_keys_open():
    both = decrypter(RSA, OLD_RSA)
    for key in (RSA, OLD_RSA):
        assert opened(encrypted(key=key), both).token == SIGNED


def test_a_kid_that_is_ours_chooses_the_key_and_an_unknown_one_does_not():
    both = decrypter(RSA, OLD_RSA)
    for kid in ("key-2", thumbprint(OLD_RSA.public_key()), "its owner's name for it"):
        assert opened(encrypted(key=OLD_RSA, kid=kid), both).token == SIGNED
    refusal(encrypted(key=OLD_RSA, kid="key-1"), both)


OTHERS = [rsa_private_key(f"encryption {number}") for number in range(MAX_ATTEMPTS)]


def test_no_more_keys_are_tried_for_one_token_than_the_limit():
    assert opened(encrypted(), decrypter(*OTHERS[1:], RSA)).token == SIGNED
    refusal(encrypted(), decrypter(*OTHERS, RSA))


def test_a_kid_finds_a_key_behind_the_limit():
    assert opened(encrypted(kid=f"key-{MAX_ATTEMPTS + 1}"), decrypter(*OTHERS, RSA)).token == SIGNED


def test_all_who_try_to_open_a_token_share_the_limit():
    attempts = Attempts()
    with pytest.raises(Denied):
        opened(encrypted(), decrypter(*OTHERS[1:]), attempts)
    assert opened(encrypted(), attempts=attempts).token == SIGNED
    with pytest.raises(Denied):
        opened(encrypted(), attempts=attempts)


@pytest.mark.parametrize("cty", [None, "JWT", "jwt", "application/jwt"])
def test_a_signed_token_inside_is_found_with_and_without_cty(cty):
    assert opened(encrypted(cty=cty)).token == SIGNED


@pytest.mark.parametrize("cty", ["json", 7, ["JWT"], ""])
def test_another_cty_is_refused(cty):
    header, *rest = encrypted().split(".")
    members = json.loads(base64url.decode(header)) | {"cty": cty}
    assert "cty" in refusal(".".join([base64url.encode(json.dumps(members).encode()), *rest]))


def test_claims_that_nobody_signed_are_refused():
    for content in (b'{"iss":"https://issuer","exp":9999999999}', b"opaque", b"\xff\xfe", b""):
        assert "holds no" in refusal(encrypted(content))


def test_an_encrypted_token_inside_is_refused():
    assert "holds no signed token" in refusal(encrypted(encrypted()))


def test_a_token_whose_content_is_too_long_is_refused():
    payload = json.dumps({"iss": "https://issuer", "fill": "x" * MAX_CONTENT_BYTES}).encode()
    long = api_jws.encode(payload, rsa_private_key("issuer"), "RS256")
    assert "more than" in refusal(encrypted(long[: 46 * 1024]))


def test_a_token_that_is_too_long_is_refused_unread():
    with pytest.raises(Denied, match="longer than"):
        parse(encrypted(b"x" * 65_536))


def test_claims_in_the_header_must_be_those_inside():
    jwt = parse(encrypted(iss="https://issuer", aud=["us"], sub="alice"))
    assert jwt is not None
    assert (jwt.issuer, jwt.audiences) == ("https://issuer", frozenset({"us"}))
    same = Claims({"iss": "https://issuer", "aud": ["us"], "sub": "alice"})
    ensure_replicated(jwt, same)
    for name in same:
        for other in (Claims(same | {name: "other"}), Claims({k: v for k, v in same.items() if k != name})):
            with pytest.raises(Denied, match=name):
                ensure_replicated(jwt, other)


@pytest.mark.parametrize(
    "secret",
    [
        b"no key",
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256K1())),
        pem(rsa_private_key("weak encryption", bits=1024)),
        public_pem(RSA),
    ],
    ids=["text", "Ed25519", "secp256k1", "weak RSA", "public"],
)
def test_a_secret_that_is_no_key_for_this_is_a_mistake(secret):
    with pytest.raises(ValueError, match="secret `mine`") as caught:
        JweDecrypter({"mine": secret}, algorithms=frozenset({"RSA-OAEP-256"}), encryptions=frozenset({"A256GCM"}))
    assert "BEGIN" not in str(caught.value)


def test_an_algorithm_that_no_key_fits_is_a_mistake():
    with pytest.raises(ValueError, match="none of the keys fits ECDH-ES"):
        decrypter(RSA, algorithms=["RSA-OAEP-256", "ECDH-ES"])
