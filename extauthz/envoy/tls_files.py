"""Reads the files of the server's TLS, and looks at them before gRPC does: it would not say what is wrong."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1)
"""Those that gRPC's TLS library offers signatures for by itself."""


class TlsFilesError(Exception):
    """The files cannot be used; says which and why, and quotes nothing of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the server's TLS is found, in PEM."""

    certificate: Path
    """Of the server, with its chain after it."""
    key: Path
    client_ca: Path | None = None
    """The authorities of clients' certificates; None: no client needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """What was in the files, and can be used."""

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    ends_at: float
    """Of the server's certificate; seconds since the epoch."""


def read_tls(files: TlsFiles, now: float) -> TlsMaterial:
    """The content of the files.

    Raises:
        TlsFilesError: one is missing or not PEM, they do not belong together, or the certificate does not hold `now`.
    """
    chain, key = _content(files.certificate), _content(files.key)
    client_ca = _content(files.client_ca) if files.client_ca is not None else None
    own = _first(files.certificate, chain)
    if files.client_ca is not None and client_ca is not None:
        _first(files.client_ca, client_ca)
    if _public(files.key, key) != own.public_key:
        raise TlsFilesError(f"{files.key} is not the key of {files.certificate}")
    if not own.begins_at <= now < own.ends_at:
        times = f"from {moment(own.begins_at)} to {moment(own.ends_at)}"
        raise TlsFilesError(f"{files.certificate}: valid {times}, not now")
    return TlsMaterial(chain=chain, key=key, client_ca=client_ca, ends_at=own.ends_at)


def moment(seconds: float) -> str:
    """As people and their tools read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsFilesError(f"{path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Certificate:
    public_key: object
    begins_at: float
    ends_at: float


def _first(path: Path, pem: bytes) -> _Certificate:
    """The first certificate of a file, all of which can be read."""
    try:
        first = x509.load_pem_x509_certificates(pem)[0]
        return _Certificate(
            public_key=first.public_key(),
            begins_at=first.not_valid_before_utc.timestamp(),
            ends_at=first.not_valid_after_utc.timestamp(),
        )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise TlsFilesError(f"{path} has no certificate in PEM") from error


def _public(path: Path, pem: bytes) -> object:
    """Of a private key that gRPC can use."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TlsFilesError(f"{path} has no private key in PEM, or one with a passphrase") from error
    if isinstance(key, rsa.RSAPrivateKey):
        usable = key.key_size >= _MIN_RSA_BITS
    else:
        usable = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES)
    if not usable:
        raise TlsFilesError(f"{path} must be RSA of at least {_MIN_RSA_BITS} bits, EC P-256 or P-384")
    return key.public_key()
