"""Whom this service trusts in a TLS handshake, and how it says there who it is (RFC 8705 §2)."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from extauthz.oauth2.private_key import private_key

_PIPE_BYTES = 16 * 1024
"""What a pipe holds everywhere; the largest RSA key that is used here has about 6 KiB of PEM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """A certificate of this service, and its key."""

    certificate_file: str
    """PEM, with its chain."""
    key: bytes = field(repr=False)
    """PEM, without a password."""


def client_tls(ca_file: str | None, certificate: ClientCertificate | None = None) -> ssl.SSLContext | None:
    """The TLS settings of a client; None where nothing differs from the usual ones.

    With a `ca_file` its authorities are trusted and no others.

    Raises:
        ValueError: a file cannot be read or is not PEM, or the key is not that of the certificate.
    """
    if ca_file is None and certificate is None:
        return None
    context = _context(ca_file)
    if certificate is not None:
        _load(context, certificate)
    return context


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as exc:
        raise ValueError(f"{ca_file} has no PEM certificate of an authority") from exc
    except OSError as exc:
        raise ValueError(f"{ca_file} cannot be read: {exc.strerror}") from exc


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    # Read here first: OpenSSL would ask on the terminal for the password of an encrypted key.
    key = private_key(certificate.key)
    name = certificate.certificate_file
    if _first_certificate(name).public_key() != key.public_key():
        raise ValueError(f"{name} is not the certificate of the key")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with _as_file(pem) as key_file:
            context.load_cert_chain(name, key_file)
    except OSError as exc:
        raise ValueError(f"{name} and its key cannot be used for TLS") from exc


def _first_certificate(name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(Path(name).read_bytes())[0]
    except OSError as exc:
        raise ValueError(f"{name} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ValueError(f"{name} is not a PEM certificate") from exc


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A name under which the content can be read once: `ssl` takes keys only from files; a pipe is never on disk."""
    if len(content) > _PIPE_BYTES:
        raise ValueError("the private key is too large")
    readable, writable = os.pipe()
    try:
        with os.fdopen(writable, "wb") as pipe:
            pipe.write(content)
        yield f"/dev/fd/{readable}"
    finally:
        os.close(readable)
