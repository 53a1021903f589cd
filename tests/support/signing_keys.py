"""Private keys for tests, made once a process where that is slow."""

import datetime as dt
import functools
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_CURVES: dict[str, type[ec.EllipticCurve]] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key under the name and algorithm that it is published with."""

    kid: str
    alg: str
    private_key: PrivateKey = field(repr=False)

    def jwk(self) -> dict[str, Any]:
        """The public half (RFC 7517)."""
        match self.private_key.public_key():
            case rsa.RSAPublicKey() as key:
                members = RSAAlgorithm.to_jwk(key, as_dict=True)
            case ec.EllipticCurvePublicKey() as key:
                members = ECAlgorithm.to_jwk(key, as_dict=True)
            case key:
                members = OKPAlgorithm.to_jwk(key, as_dict=True)
        members.pop("key_ops", None)
        return {**members, "kid": self.kid, "alg": self.alg, "use": "sig"}


@functools.cache
def rsa_private_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this name; making one is slow, so the tests of a process share them."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def self_signed_certificate(private_key: PrivateKey) -> str:
    """A PEM certificate for a key; long expired, because only its key counts."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authorization server")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=1))
    )
    digest = None if isinstance(private_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private_key, digest).public_bytes(Encoding.PEM).decode("ascii")


def private_key(alg: str, name: str) -> PrivateKey:
    """A key for an algorithm; an RSA key is the one of its name."""
    if alg in _CURVES:
        return ec.generate_private_key(_CURVES[alg]())
    return ed25519.Ed25519PrivateKey.generate() if alg == "EdDSA" else rsa_private_key(name)
