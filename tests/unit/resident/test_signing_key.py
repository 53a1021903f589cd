"""Which keys may sign, and how a generated one is kept."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from extauthz.model.errors import Unavailable
from extauthz.resident.key_file import generated_key
from extauthz.resident.signing_key import SigningKey, generated_pem

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
CLEAR = NoEncryption()


def pem(key: PrivateKey, encryption: KeySerializationEncryption = CLEAR) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(("text", "alg"), [(generated_pem(), "RS256"), (pem(p256()), "ES256")])
def test_a_signature_names_its_key_and_verifies_with_the_public_half(text: str, alg: str) -> None:
    key = SigningKey.from_pem(text)
    token = key.sign("at+jwt", {"sub": "a"})
    assert jwt.get_unverified_header(token) == {"alg": alg, "typ": "at+jwt", "kid": key.kid}
    assert jwt.decode(token, jwt.PyJWK(key.public_jwk), algorithms=[alg]) == {"sub": "a"}


@pytest.mark.parametrize("text", [generated_pem(), pem(p256())])
def test_the_public_half_and_the_repr_show_nothing_private(text: str) -> None:
    key = SigningKey.from_pem(text)
    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key.public_jwk)
    assert "PRIVATE" not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - as small as the rule refuses
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(p256(), BestAvailableEncryption(b"password")),
        p256().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
    ids=["small RSA", "P-384", "Ed25519", "encrypted", "public", "empty", "broken"],
)
def test_any_other_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="private key"):
        SigningKey.from_pem(text)


def test_a_generated_key_is_kept_beside_the_database_for_its_owner_only(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/resident.db"
    first, second = generated_key(database), generated_key(database)
    (file,) = tmp_path.iterdir()
    assert first.kid == second.kid
    assert file.name == "resident.signing-key.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/resident.db"
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: generated_key(database), range(4)))
    assert len({key.kid for key in keys}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_for_a_database_in_memory_is_not_kept(tmp_path: Path) -> None:
    assert generated_key("sqlite://").kid != generated_key("sqlite:///:memory:").kid


def test_a_damaged_or_unreachable_key_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "resident.signing-key.pem").write_text("damaged")
    with pytest.raises(Unavailable):
        generated_key(f"sqlite:///{tmp_path}/resident.db")
    with pytest.raises(Unavailable):
        generated_key(f"sqlite:///{tmp_path}/absent/resident.db")
