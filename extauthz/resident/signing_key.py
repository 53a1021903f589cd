"""The key that signs access tokens, named by its thumbprint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

HINT = "{file: PATH} or {env: NAME} of an unencrypted PEM private key: RSA of 2048 bits or more, or EC P-256"

_RSA_BITS = 2048
"""RFC 7518 §3.3 asks for no less; every verifier knows RS256 (RFC 9068 §4), so it is what a generated key is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One private key and the one algorithm it is used with (RFC 8725 §3.1)."""

    kid: str
    """RFC 7638 SHA-256 thumbprint."""
    alg: str
    key: RSAKey | ECKey = field(repr=False)

    @classmethod
    def from_pem(cls, pem: str) -> "SigningKey":
        """The key of an unencrypted PEM document.

        Raises:
            ValueError: it is no private key of a supported kind and size. The message never holds the key.
        """
        alg = _algorithm(pem)
        key = RSAKey.import_key(pem) if alg == "RS256" else ECKey.import_key(pem)
        return cls(kid=key.thumbprint(), alg=alg, key=key)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What verifiers may know (RFC 7517 §4)."""
        return {**self.key.as_dict(private=False), "use": "sig", "alg": self.alg, "kid": self.kid}

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS over the claims, with the key's name in its header."""
        header = {"alg": self.alg, "typ": typ, "kid": self.kid}
        return jwt.encode(header, dict(claims), self.key, algorithms=[self.alg])


def generated_pem() -> str:
    """A new RSA private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _algorithm(pem: str) -> str:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError("is not an unencrypted PEM private key") from exc
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _RSA_BITS:
        return "RS256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    raise ValueError("is a private key of an unsupported kind or size")
