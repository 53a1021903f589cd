"""Keys from an operator's secrets, and names that tell nothing to whoever lacks the key."""

import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_SECRET_BYTES = 32
_LENGTH_BYTES = 4


def derived_keys(secrets: Sequence[bytes], purpose: bytes) -> tuple[bytes, ...]:
    """A 256-bit key of each secret for one purpose, which is HKDF's `info` (RFC 5869 §3.2).

    Raises:
        ValueError: no secret, or one shorter than MIN_SECRET_BYTES.
    """
    if not secrets:
        raise ValueError("at least one secret is needed")
    for position, secret in enumerate(secrets, start=1):
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"secret {position} has {len(secret)} bytes, at least {MIN_SECRET_BYTES} are needed")
    return tuple(HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret) for secret in secrets)


def keyed_name(key: bytes, *parts: str | bytes) -> bytes:
    """32 bytes that stand for some parts. Keyed, so that whoever reads a store cannot try guesses."""
    return hmac.digest(key, joined(*parts), "sha256")


def joined(*parts: str | bytes) -> bytes:
    """Some parts as one message.

    Length-prefixed, so that no two different rows of parts are one message. Lone surrogates have bytes too: every text
    has its own, and none raises.
    """
    octets = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in octets)
