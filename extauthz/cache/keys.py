"""Keys derived from `cache.secret`, one for each purpose, and the cache key of a token."""

import hmac
from collections.abc import Sequence
from enum import Enum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_SECRET_BYTES = 32
_LENGTH_BYTES = 4


class Purpose(Enum):
    """What a derived key is for; the value is HKDF's `info` (RFC 5869 §3.2)."""

    TOKEN_KEY = b"extauthz cache: key of a token, version 1"
    SEALING = b"extauthz cache: sealing of facts, version 1"


class CacheKeys:
    """Names tokens without being them, and holds the keys that seal what is known about them.

    The first secret names and seals; every secret opens. A new first secret therefore also renames every token: the
    entries of before are not met again, which costs each token one question to its issuer.

    Raises:
        ValueError: no secret, or one shorter than MIN_SECRET_BYTES.
    """

    __slots__ = ("_token_key", "sealing")

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("cache.secret: at least one secret is needed")
        for position, secret in enumerate(secrets, start=1):
            if len(secret) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"cache.secret: secret {position} has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed"
                )
        self._token_key = _derive(secrets[0], Purpose.TOKEN_KEY)
        self.sealing: tuple[bytes, ...] = tuple(_derive(secret, Purpose.SEALING) for secret in secrets)
        """256-bit keys; the first seals, all open."""

    def token_key(self, organization: str, key_manager: str, fingerprint: bytes, token: str) -> bytes:
        """32 bytes that stand for a token at a key manager with these validation settings.

        Keyed, so that whoever reads the store cannot try guesses; length-prefixed, so that no two different quadruples
        are one message.
        """
        parts = (_bytes(organization), _bytes(key_manager), fingerprint, _bytes(token))
        message = b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)
        return hmac.digest(self._token_key, message, "sha256")


def _derive(secret: bytes, purpose: Purpose) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.value).derive(secret)


def _bytes(text: str) -> bytes:
    # Lone surrogates have bytes too: every text has its own key, and none raises.
    return text.encode("utf-8", "surrogatepass")
