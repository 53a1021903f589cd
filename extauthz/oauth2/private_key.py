"""A private key of this service, read from PEM and checked against its use."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from extauthz.oauth2.jwk import VerificationKey, thumbprint

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey


def private_key(pem: bytes) -> PrivateKey:
    """The private key of a PEM text.

    Raises:
        ValueError: not one, or one with a password, or of a kind that is not used here; nothing of the key is told.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise ValueError("the private key is encrypted; give it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("the private key is not PEM, or of an unknown kind") from exc
    if not isinstance(key, PrivateKey):
        raise ValueError("the private key is not RSA, EC or EdDSA")  # noqa: TRY004 - a bad value, not a bad type
    return key


def signing_key(pem: bytes, alg: str) -> PrivateKey:
    """The private key of a PEM text, if it can sign with this algorithm (RFC 7518 §3.1).

    Raises:
        ValueError: as `private_key`, or a key of another type, curve or size.
    """
    key = private_key(pem)
    public_key = key.public_key()
    if not VerificationKey(public_key=public_key, thumbprint=thumbprint(public_key)).fits(alg):
        raise ValueError(f"the private key does not fit {alg}")
    return key
