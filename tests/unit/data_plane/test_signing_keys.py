"""The keys of backend JWTs as the settings name them: what is wrong is told with its place."""

from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.signing_keys import private_key, rsa_private_key, self_signed_certificate

from extauthz.data_plane.secrets import Secrets
from extauthz.data_plane.signing_keys import signing_keys
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import loads
from extauthz.settings.backend_jwt import BackendJwtSettings

KEYS = {
    "rsa": rsa_private_key("backend JWT"),
    "ec": private_key("ES256", "ec"),
    "ed25519": private_key("EdDSA", "ed25519"),
}


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


SECRETS = Secrets({name: pem(key) for name, key in KEYS.items()} | {"copy": pem(KEYS["rsa"]), "none": b"no key"}, {})


def keys_of(*keys, folder=Path()):
    settings = loads(yaml.safe_dump({"keys": list(keys)}), BackendJwtSettings, "backend_jwt")
    return signing_keys(settings, SECRETS, folder)


def mistake_of(*keys, folder=Path()):
    with pytest.raises(DocumentError) as refused:
        keys_of(*keys, folder=folder)
    [mistake] = refused.value.mistakes
    return str(mistake)


def test_without_settings_there_are_none():
    assert signing_keys(None, SECRETS, Path()) == ()


def test_every_kind_of_key_is_read_in_the_order_of_the_settings():
    keys = keys_of({"key": "ed25519", "algorithm": "EdDSA"}, {"key": "rsa"}, {"key": "ec", "algorithm": "ES256"})

    assert [key.algorithm for key in keys] == ["EdDSA", "RS256", "ES256"]


@pytest.mark.parametrize("twice", ["rsa", "copy"])
def test_a_key_that_is_there_twice_is_a_mistake(twice):
    """Also under another name: the next key was not put into its file."""
    ec = {"key": "ec", "algorithm": "ES256"}

    assert mistake_of({"key": "rsa"}, {"key": twice}).startswith("backend_jwt.keys[1]: ")
    assert mistake_of(ec, {"key": "rsa"}, {"key": twice}) == (
        "backend_jwt.keys[2]: backend JWT: the same key as `keys[1]`"
    )


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({"key": "ec"}, "RS256 needs an RSA private key"),
        ({"key": "none"}, "not PEM"),
        ({"key": "missing"}, "secret `missing` is not one of `secrets:`"),
        ({"key": "ec", "algorithm": "ES256", "certificate": "missing.pem"}, "missing.pem cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_is_a_mistake_at_its_place(key, told):
    mistake = mistake_of({"key": "rsa"}, key)

    assert mistake.startswith("backend_jwt.keys[1]: ")
    assert told in mistake


def test_a_certificate_is_read_from_beside_the_settings(tmp_path):
    (tmp_path / "key.crt").write_text(self_signed_certificate(KEYS["rsa"]), encoding="ascii")
    [key] = keys_of({"key": "rsa", "certificate": "key.crt"}, folder=tmp_path)

    assert "x5t#S256" in key.public_jwk


@pytest.mark.parametrize(
    ("content", "told"),
    [(self_signed_certificate(KEYS["rsa"]), "not that of the key"), ("nothing", "key.crt: not a PEM certificate")],
)
def test_a_certificate_of_no_use_is_a_mistake(tmp_path, content, told):
    (tmp_path / "key.crt").write_text(content, encoding="ascii")
    mistake = mistake_of({"key": "ec", "algorithm": "ES256", "certificate": "key.crt"}, folder=tmp_path)

    assert mistake.startswith("backend_jwt.keys[0]: ")
    assert told in mistake
