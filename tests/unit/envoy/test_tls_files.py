"""What is refused before gRPC sees it."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from support.tls_server import TlsWorld

from extauthz.envoy.tls_files import TlsFilesError, read_tls

DAY = 86_400


@pytest.fixture
def world(tmp_path):
    return TlsWorld(tmp_path)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_files_that_belong_together_are_taken_with_the_end_of_the_certificate(world):
    material = read_tls(world.files, time.time())
    assert material.chain == world.files.certificate.read_bytes()
    assert material.client_ca == world.authority.ca_file.read_bytes()
    assert time.time() + DAY / 2 < material.ends_at < time.time() + 2 * DAY


def test_the_key_is_never_shown(world):
    assert "PRIVATE KEY" in world.files.key.read_text()
    assert "PRIVATE KEY" not in repr(read_tls(world.files, time.time()))


@pytest.mark.parametrize("name", ["certificate", "key", "client_ca"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_that_is_missing_or_not_pem_is_named(world, name, content):
    path = getattr(world.files, name)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TlsFilesError, match=path.name):
        read_tls(world.files, time.time())


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "is not the key of"),
        (rsa.generate_private_key(65537, 2048), "is not the key of"),
        (rsa.generate_private_key(65537, 1024), "must be RSA of at least 2048 bits"),  # noqa: S505 - the case
        (ec.generate_private_key(ec.SECP521R1()), "must be RSA of at least 2048 bits"),
        (ed25519.Ed25519PrivateKey.generate(), "must be RSA of at least 2048 bits"),
    ],
    ids=["EC", "RSA", "RSA-1024", "P-521", "Ed25519"],
)
def test_another_key_is_refused(world, key, problem):
    world.files.key.write_bytes(pem(key))
    with pytest.raises(TlsFilesError, match=problem):
        read_tls(world.files, time.time())


def test_a_key_with_a_passphrase_is_refused(world):
    key = load_pem_private_key(world.files.key.read_bytes(), password=None)
    world.files.key.write_bytes(pem(key, BestAvailableEncryption(b"phrase")))
    with pytest.raises(TlsFilesError, match="passphrase"):
        read_tls(world.files, time.time())


@pytest.mark.parametrize("days", [-2, 2])
def test_a_certificate_that_does_not_hold_now_is_refused(world, days):
    with pytest.raises(TlsFilesError, match="not now"):
        read_tls(world.files, time.time() + days * DAY)
