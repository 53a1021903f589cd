"""Nonces for DPoP proofs (RFC 9449 §9) that need no memory: a time, and a code over it."""

import hmac
from collections.abc import Sequence

from extauthz.oauth2 import base64url

MIN_SECRET_BYTES = 32
_FUTURE_SKEW_SECONDS = 5.0
"""How far ahead of ours the clock of the replica may be that made a nonce."""
_TIME_BYTES = 8
_CODE_BYTES = 16
_LABEL = b"extauthz DPoP nonce, version 1"
_MILLISECONDS = 1000


class DpopNonces:
    """Makes nonces, and knows its own and those of replicas with the same secrets. The first secret makes, all check.

    Raises:
        ValueError: no secret, or one shorter than MIN_SECRET_BYTES.
    """

    def __init__(self, secrets: Sequence[bytes], *, lifetime_seconds: float) -> None:
        if not secrets or any(len(secret) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret for nonces needs at least {MIN_SECRET_BYTES} bytes")
        self._secrets = tuple(secrets)
        self._lifetime_seconds = lifetime_seconds

    def issue(self, now: float) -> str:
        """A nonce of now."""
        made_at = int(now * _MILLISECONDS).to_bytes(_TIME_BYTES, "big")
        return base64url.encode(made_at + _code(self._secrets[0], made_at))

    def is_current(self, nonce: str, now: float) -> bool:
        """Whether a nonce is one of ours and not too old."""
        try:
            value = base64url.decode(nonce)
        except ValueError:
            return False
        made_at, code = value[:_TIME_BYTES], value[_TIME_BYTES:]
        if not any(hmac.compare_digest(code, _code(secret, made_at)) for secret in self._secrets):
            return False
        age = now - int.from_bytes(made_at, "big") / _MILLISECONDS
        return -_FUTURE_SKEW_SECONDS <= age <= self._lifetime_seconds


def _code(secret: bytes, made_at: bytes) -> bytes:
    return hmac.digest(secret, _LABEL + made_at, "sha256")[:_CODE_BYTES]
