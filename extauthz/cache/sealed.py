"""Facts as they leave the process: protobuf, sealed with AES-256-GCM-SIV to the key they are stored under."""

import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from google.protobuf.message import DecodeError

from extauthz.model.errors import Reason
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.v1 import token_pb2

_VERSION = b"\x01"
_PURPOSE = b"token facts"
_NONCE_BYTES = 12
_TEXTS = ("issuer", "subject", "client_id", "token_type", "token_id", "signing_key")
_TIMES = ("expires_at", "not_before", "issued_at")


class FactsSealer:
    """Seals with the first key, opens with any (`CacheKeys.sealing`).

    The cache key is associated data, so an entry that is moved under another key does not open. AES-GCM-SIV
    (RFC 8452) survives a repeated nonce, so random ones are safe over every replica.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = tuple(AESGCMSIV(key) for key in keys)

    def seal(self, key: bytes, facts: TokenFacts) -> bytes | None:
        """The sealed facts; None when they hold what the format cannot, and so cannot be shared."""
        plain = _written(facts)
        if plain is None:
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
            return _read(plain)
        return None


def _associated(key: bytes) -> bytes:
    return _VERSION + _PURPOSE + key


def _written(facts: TokenFacts) -> bytes | None:
    try:
        message = token_pb2.TokenFacts(
            form=facts.form,
            believe_until=facts.believe_until,
            refusal=facts.refusal,
            scopes=facts.scopes,
            audiences=facts.audiences,
            claims_json=json.dumps(dict(facts.claims), separators=(",", ":")).encode(),
            **{name: getattr(facts, name) for name in (*_TEXTS, *_TIMES)},
        )
        return bytes(message.SerializeToString())
    except (TypeError, ValueError, RecursionError):
        # A lone surrogate is no protobuf string; claims may be nested too deeply to be written.
        return None


def _read(plain: bytes) -> TokenFacts | None:
    """Sealed by one of us, but perhaps by another version: what it does not know is a miss."""
    try:
        message = token_pb2.TokenFacts.FromString(plain)
        claims = json.loads(message.claims_json)
        if not isinstance(claims, dict):
            return None
        return TokenFacts(
            form=TokenForm(message.form),
            believe_until=message.believe_until,
            refusal=Reason(message.refusal) if message.HasField("refusal") else None,
            scopes=frozenset(message.scopes),
            audiences=frozenset(message.audiences),
            claims=claims,
            **{name: getattr(message, name) for name in (*_TEXTS, *_TIMES) if message.HasField(name)},
        )
    except (DecodeError, ValueError, RecursionError):
        return None
