"""The signature of a compact JWS (RFC 7515 §5): the one place that asks PyJWT."""

from collections.abc import Mapping

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from jwt import api_jws
from jwt.exceptions import PyJWTError

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.private_key import PrivateKey


def verified_payload(token: str, key: VerificationKey, alg: str) -> bytes:
    """The payload of a token whose signature is valid; `alg` is the caller's choice, not the token's.

    Raises:
        Denied: INVALID_TOKEN: the key does not fit `alg`, the token names another algorithm, or the signature is bad.
    """
    if not key.fits(alg):
        raise Denied(Reason.INVALID_TOKEN, f"the key does not fit {alg}")
    try:
        payload: bytes = api_jws.decode_complete(token, key.public_key, algorithms=[alg])["payload"]
    except (PyJWTError, UnsupportedAlgorithm, InternalError, TypeError, ValueError) as exc:
        # PyJWT lets bare TypeError and ValueError through; its messages may quote the header, so only the type is kept.
        raise Denied(Reason.INVALID_TOKEN, f"signature: {type(exc).__name__}") from exc
    return payload


def signed(payload: bytes, key: PrivateKey, alg: str, header: Mapping[str, str]) -> str:
    """A compact JWS (RFC 7515 §3.1); the key must fit `alg`."""
    return api_jws.encode(payload, key, algorithm=alg, headers=dict(header))
