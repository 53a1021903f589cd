"""One public key that verifies signatures (RFC 7517), from a JWK or from a certificate."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from extauthz.model.key_manager import SIGNATURE_ALGORITHMS
from extauthz.oauth2 import base64url

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

MIN_RSA_BITS = 2048
"""RFC 7518 §3.3."""
MAX_RSA_BITS = 8192
"""A larger key makes every verification cost milliseconds."""
MAX_RSA_EXPONENT_BITS = 32
"""A verification costs in proportion to it; 65537 has 17."""

_RSA_ALGORITHMS = frozenset(alg for alg in SIGNATURE_ALGORITHMS if alg.startswith(("RS", "PS")))
_EC_ALGORITHMS = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
}
_EDDSA = frozenset({"EdDSA"})
_JWK_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
# Which algorithm PyJWK needs to be told so that it reads a key of this (kty, crv).
_READERS = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
    ("OKP", "Ed448"): "EdDSA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A public key and what its owner says that it is for."""

    public_key: PublicKey = field(repr=False)
    thumbprint: str
    """RFC 7638 SHA-256, base64url."""
    kid: str | None = None
    alg: str | None = None
    """The only algorithm of the key, if the JWK names one (RFC 7517 §4.4)."""
    not_before: float | None = None
    """Of its certificate, in seconds since the epoch; None: a JWK has no dates."""
    not_after: float | None = None
    algorithms: frozenset[str] = field(init=False, repr=False)
    """Those whose signatures the key may verify (RFC 7518 §3.1, RFC 8037 §3.1); possibly none."""

    def __post_init__(self) -> None:
        # Once for each key: to ask an RSA key for its numbers costs a third of what a signature does.
        fitting = _algorithms(self.public_key)
        object.__setattr__(self, "algorithms", fitting if self.alg is None else fitting & {self.alg})

    def fits(self, alg: str) -> bool:
        """Whether the key may verify a signature of this algorithm."""
        return alg in self.algorithms

    def is_valid_at(self, now: float) -> bool:
        """Whether the dates of its certificate, if it has any, allow its use; with both ends (RFC 5280 §4.1.2.5)."""
        begun = self.not_before is None or now >= self.not_before
        return begun and (self.not_after is None or now <= self.not_after)


def verification_key(jwk: Mapping[str, Any]) -> VerificationKey | None:
    """The key of a JWK; None for a key that verifies nothing here.

    That is: private and symmetric keys, keys for encryption, unknown types and curves, RSA keys out of bounds, and
    anything malformed (RFC 7517 §5: such members of a set are ignored).
    """
    if not _is_for_verification(jwk):
        return None
    public_key = _public_key(jwk)
    if public_key is None:
        return None
    key = VerificationKey(
        public_key=public_key, thumbprint=thumbprint(public_key), kid=jwk.get("kid"), alg=jwk.get("alg")
    )
    return key if key.algorithms else None


def key_from_certificate(pem: str) -> VerificationKey:
    """The key of a PEM certificate.

    The certificate pins the key, for as long as its dates say; its names and signature are not looked at.

    Raises:
        ValueError: not exactly one certificate, or a key that no allowed algorithm can use.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode("utf-8"))
        public_key = certificates[0].public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("not a PEM certificate with a known type of key") from exc
    if len(certificates) != 1:
        raise ValueError(f"{len(certificates)} certificates where one is expected")
    if not isinstance(public_key, PublicKey):
        raise ValueError("the certificate's key is not RSA, EC or EdDSA")  # noqa: TRY004 - a bad value, not a bad type
    key = VerificationKey(
        public_key=public_key,
        thumbprint=thumbprint(public_key),
        not_before=certificates[0].not_valid_before_utc.timestamp(),
        not_after=certificates[0].not_valid_after_utc.timestamp(),
    )
    if not key.algorithms:
        raise ValueError(f"the certificate's key fits no algorithm (RSA needs {MIN_RSA_BITS} to {MAX_RSA_BITS} bits)")
    return key


def thumbprint(public_key: PublicKey) -> str:
    """RFC 7638 §3: SHA-256 over the required members in order, base64url."""
    document = json.dumps(public_members(public_key), sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(document.encode("utf-8")).digest())


def _is_for_verification(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(jwk.get("kid"), str | None)
        and isinstance(jwk.get("alg"), str | None)
        # A private key in a published set is no secret any more, so nothing that it signs is trusted.
        and "d" not in jwk
    )


def _public_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kty, str) or not isinstance(crv, str | None):
        return None
    algorithm = _READERS.get((kty, crv))
    if algorithm is None:
        return None
    try:
        key = PyJWK(dict(jwk), algorithm).key
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        return None
    return key if isinstance(key, PublicKey) else None


def _algorithms(public_key: PublicKey) -> frozenset[str]:
    match public_key:
        case RSAPublicKey():
            return _RSA_ALGORITHMS if _rsa_is_bounded(public_key) else frozenset()
        case EllipticCurvePublicKey():
            return _EC_ALGORITHMS.get(public_key.curve.name, frozenset())
        case _:
            return _EDDSA


def _rsa_is_bounded(public_key: RSAPublicKey) -> bool:
    exponent = public_key.public_numbers().e
    # RFC 8017 §3.1: e is odd, since it has no factor in common with p - 1.
    exponent_fits = exponent % 2 == 1 and exponent.bit_length() <= MAX_RSA_EXPONENT_BITS
    return exponent_fits and MIN_RSA_BITS <= public_key.key_size <= MAX_RSA_BITS


def public_members(public_key: PublicKey) -> dict[str, str]:
    """The members of a JWK that make the key (RFC 7638 §3.2), and no more."""
    match public_key:
        case RSAPublicKey():
            rsa = public_key.public_numbers()
            return {"kty": "RSA", "n": _unsigned(rsa.n), "e": _unsigned(rsa.e)}
        case EllipticCurvePublicKey():
            point, size = public_key.public_numbers(), (public_key.key_size + 7) // 8
            curve = _JWK_CURVES.get(public_key.curve.name, public_key.curve.name)
            # RFC 7518 §6.2.1.2: coordinates have the full width of the curve.
            return {"kty": "EC", "crv": curve, "x": _unsigned(point.x, size), "y": _unsigned(point.y, size)}
        case _:
            curve = "Ed25519" if isinstance(public_key, Ed25519PublicKey) else "Ed448"
            return {"kty": "OKP", "crv": curve, "x": base64url.encode(public_key.public_bytes_raw())}


def _unsigned(number: int, size: int | None = None) -> str:
    return base64url.encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
