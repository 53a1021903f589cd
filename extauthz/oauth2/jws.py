"""The signature of a compact JWS (RFC 7515 §5): the one place that asks PyJWT."""

from collections.abc import Mapping

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from jwt import api_jws
from jwt.exceptions import PyJWTError

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.private_key import PrivateKey


def verified_payload(token: str, key: VerificationKey, alg: str) -> bytes:
    """The payload of a token whose signature is valid; `alg` is what its header says, as the caller has accepted it.

    Raises:
        Denied: INVALID_TOKEN: not a compact JWS, or as `ensure_signed`.
    """
    ensure_signed(token, key, alg)
    try:
        _, payload, _ = token.split(".")
        return base64url.decode(payload)
    except ValueError as exc:
        raise Denied(Reason.INVALID_TOKEN, "not three parts of base64url") from exc


def ensure_signed(token: str, key: VerificationKey, alg: str) -> None:
    """The last part of a token is the signature of those before it.

    Only that is looked at: whoever has read the header and the payload already need not have them read again, which
    costs PyJWT three times as much as an RSA signature.

    Raises:
        Denied: INVALID_TOKEN: the key does not fit `alg`, or the signature is bad.
    """
    if not key.fits(alg):
        raise Denied(Reason.INVALID_TOKEN, f"the key does not fit {alg}")
    signing_input, _, signature = token.rpartition(".")
    try:
        algorithm = api_jws.get_algorithm_by_name(alg)
        valid = algorithm.verify(signing_input.encode("ascii"), key.public_key, base64url.decode(signature))
    except (PyJWTError, UnsupportedAlgorithm, InternalError, TypeError, ValueError) as exc:
        raise Denied(Reason.INVALID_TOKEN, f"signature: {type(exc).__name__}") from exc
    if not valid:
        raise Denied(Reason.INVALID_TOKEN, "signature: not of this key")


def signed(payload: bytes, key: PrivateKey, alg: str, header: Mapping[str, str]) -> str:
    """A compact JWS (RFC 7515 §3.1); the key must fit `alg`."""
    return api_jws.encode(payload, key, algorithm=alg, headers=dict(header))
