"""The key that signs backend JWTs, checked once, and its public half."""

import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.api_jws import PyJWS

from extauthz.oauth2.jwk import public_members, thumbprint

MIN_RSA_BITS = 2048
ALGORITHMS = ("RS256", "ES256")


class SigningKey:
    """A private key for RS256 or ES256 (RFC 7518 §3.3, §3.4), from PEM without a password.

    Raises:
        ValueError: not such a key, or not one for this algorithm; the message holds nothing of the key.
    """

    __slots__ = ("_jws", "_private", "algorithm", "kid", "public_jwk")

    def __init__(self, pem: bytes, algorithm: str) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"backend JWT: {algorithm!r} is not one of {', '.join(ALGORITHMS)}")
        self._private = _private_key(pem, algorithm)
        self._jws = PyJWS(algorithms=[algorithm])
        self.algorithm = algorithm
        public_key = self._private.public_key()
        self.kid = thumbprint(public_key)
        """RFC 7638 SHA-256 thumbprint: the same on every replica, another for every key."""
        self.public_jwk: dict[str, str] = public_members(public_key) | {"kid": self.kid, "use": "sig", "alg": algorithm}
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
        return self._jws.encode(payload, self._private, self.algorithm, headers={"typ": "JWT", "kid": self.kid})


def _private_key(pem: bytes, algorithm: str) -> RSAPrivateKey | EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise ValueError("backend JWT: the private key is encrypted; give it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("backend JWT: the private key is not PEM, or of an unknown kind") from exc
    if algorithm == "RS256":
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("backend JWT: RS256 needs an RSA private key")
        if key.key_size < MIN_RSA_BITS:
            raise ValueError(f"backend JWT: the RSA key has {key.key_size} bits, at least {MIN_RSA_BITS} are needed")
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("backend JWT: ES256 needs an EC private key on the curve P-256")
