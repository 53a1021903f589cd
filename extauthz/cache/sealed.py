"""Facts as they leave the process: MessagePack, sealed with AES-256-GCM-SIV to the key they are stored under."""

import os
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from extauthz.model.token import TokenFacts

_VERSION = b"\x03"
"""Of the whole record: whoever changes what `TokenFacts` holds, or in which order, takes another."""
_PURPOSE = b"token facts"
_NONCE_BYTES = 12
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(TokenFacts)


class FactsSealer:
    """Seals with the first key, opens with any (`CacheKeys.sealing`).

    The cache key is associated data, so an entry that is moved under another key does not open. AES-GCM-SIV
    (RFC 8452) survives a repeated nonce, so random ones are safe over every replica.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = tuple(AESGCMSIV(key) for key in keys)

    def seal(self, key: bytes, facts: TokenFacts) -> bytes | None:
        """The sealed facts; None when they hold what the format cannot, and so cannot be shared."""
        try:
            plain = _ENCODER.encode(facts)
        except (
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ):  # claims that it cannot hold
            return None
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._ciphers[0].encrypt(nonce, plain, _associated(key))

    def open(self, key: bytes, sealed: bytes) -> TokenFacts | None:
        """The facts; None for everything that was not sealed by one of the keys for this cache key."""
        if not sealed.startswith(_VERSION):
            return None
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        for cipher in self._ciphers:
            try:
                plain = cipher.decrypt(nonce, ciphertext, _associated(key))
            except (InvalidTag, ValueError):  # ValueError: cut short
                continue
            return _opened(plain)
        return None


def _associated(key: bytes) -> bytes:
    return _VERSION + _PURPOSE + key


def _opened(plain: bytes) -> TokenFacts | None:
    """Sealed by one of us, but perhaps by another version: what it does not know is a miss."""
    try:
        return _DECODER.decode(plain)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # ValueError: text that is not UTF-8
        return None
