"""The key that signs backend JWTs, checked once, and its public half."""

import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.api_jws import PyJWS

from extauthz.backend_jwt.key_certificate import KeyCertificate
from extauthz.oauth2.jwk import public_members, thumbprint

MIN_RSA_BITS = 2048
ALGORITHMS = ("RS256", "ES256", "EdDSA")

_PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


class SigningKey:
    """A private key for RS256, ES256 (RFC 7518 §3.3, §3.4) or EdDSA with Ed25519 (RFC 8037), from PEM, no password.

    Raises:
        ValueError: not such a key, or not one for this algorithm; the message holds nothing of the key.
    """

    __slots__ = ("_header", "_jws", "_private", "algorithm", "kid", "public_jwk")

    def __init__(self, pem: bytes, algorithm: str, certificate: KeyCertificate | None = None) -> None:
        """With a certificate, upstreams can find the key by it as well.

        Raises:
            ValueError: it is another key's.
        """
        if algorithm not in ALGORITHMS:
            raise ValueError(f"backend JWT: {algorithm!r} is not one of {', '.join(ALGORITHMS)}")
        self._private = _private_key(pem, algorithm)
        self._jws = PyJWS(algorithms=[algorithm])
        self.algorithm = algorithm
        public_key = self._private.public_key()
        if certificate is not None:
            certificate.ensure_holds(public_key)
        self.kid = thumbprint(public_key)
        """RFC 7638 SHA-256 thumbprint: the same on every replica, another for every key."""
        self._header = {"typ": "JWT", "kid": self.kid} | (certificate.header if certificate else {})
        self.public_jwk: dict[str, Any] = {
            **public_members(public_key),
            "kid": self.kid,
            "use": "sig",
            "alg": algorithm,
            **(certificate.jwk_members if certificate else {}),
        }
        """RFC 7517 §4."""

    def __repr__(self) -> str:
        return f"<SigningKey {self.algorithm} {self.kid}>"

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWS over the claims (RFC 7515 §3.1).

        Raises:
            ValueError: the claims are not JSON: not a finite number, or nested too deeply.
        """
        try:
            payload = json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, RecursionError) as exc:
            raise ValueError("claims that are not JSON") from exc
        return self._jws.encode(payload, self._private, self.algorithm, headers=self._header)


def _private_key(pem: bytes, algorithm: str) -> _PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise ValueError("backend JWT: the private key is encrypted; give it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("backend JWT: the private key is not PEM, or of an unknown kind") from exc
    match algorithm, key:
        case "RS256", RSAPrivateKey():
            if key.key_size < MIN_RSA_BITS:
                bits = f"the RSA key has {key.key_size} bits, at least {MIN_RSA_BITS} are needed"
                raise ValueError(f"backend JWT: {bits}")
            return key
        case "ES256", EllipticCurvePrivateKey(curve=SECP256R1()):
            return key
        case "EdDSA", Ed25519PrivateKey():
            return key
    raise ValueError(f"backend JWT: {algorithm} needs {_NEEDED[algorithm]}")


_NEEDED = {
    "RS256": "an RSA private key",
    "ES256": "an EC private key on the curve P-256",
    "EdDSA": "an Ed25519 private key",
}
