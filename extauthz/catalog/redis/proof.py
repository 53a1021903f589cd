"""Keys derived from `catalog.secret`, and the proof that a record was made by one of us."""

import hashlib
import hmac
import struct
from collections.abc import Sequence
from enum import Enum

from extauthz.cache.secret_keys import derived_keys

_ENTRY = b"extauthz catalog: proof of an entry, version 1"
_FRAME = struct.Struct(">IIQI")
_BLOCK_BYTES = 64
_INNER, _OUTER = bytes(octet ^ 0x36 for octet in range(256)), bytes(octet ^ 0x5C for octet in range(256))


class Purpose(Enum):
    """What a record is, so that none passes for one of another kind."""

    HEAD = b"extauthz catalog: proof of a head, version 1"
    TRANSACTION = b"extauthz catalog: proof of a transaction, version 1"


class CatalogKeys:
    """The first secret proves what is written; a proof by any of them is good.

    Raises:
        ValueError: no secret, or one shorter than `secret_keys.MIN_SECRET_BYTES`.
    """

    __slots__ = ("_entries", "_records")

    def __init__(self, secrets: Sequence[bytes], *, prefix: str) -> None:
        """`prefix` is that of the catalog's keys: what was written under another one is no proof here."""
        place = b"\0" + prefix.encode()
        self._entries = tuple(_Hmac(key) for key in derived_keys(secrets, _ENTRY + place))
        self._records = {purpose: derived_keys(secrets, purpose.value + place) for purpose in Purpose}

    def entry_tag(self, kind: bytes, field: bytes, numbers: tuple[int, int], entity: bytes) -> bytes:
        """The proof of an entry; `field` names it, `numbers` are its revision and its `minimum_reader`."""
        return self._entries[0].digest(_message(kind, field, numbers, entity))

    def proves_entry(self, tag: bytes, kind: bytes, field: bytes, numbers: tuple[int, int], entity: bytes) -> bool:
        """Whether a holder of a secret made an entry."""
        message = _message(kind, field, numbers, entity)
        for key in self._entries:  # noqa: SIM110 - a generator would cost half as much again
            if hmac.compare_digest(key.digest(message), tag):
                return True
        return False

    def record_tag(self, purpose: Purpose, body: bytes) -> bytes:
        """The proof of a record."""
        return hmac.digest(self._records[purpose][0], body, "sha256")

    def proves_record(self, tag: bytes, purpose: Purpose, body: bytes) -> bool:
        """Whether a holder of a secret made a record."""
        keys = self._records[purpose]
        return any(hmac.compare_digest(hmac.digest(key, body, "sha256"), tag) for key in keys)


class _Hmac:
    """HMAC-SHA-256 (RFC 2104 §4: the first block is hashed once), for a million short messages."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def _message(kind: bytes, field: bytes, numbers: tuple[int, int], entity: bytes) -> bytes:
    """Length-prefixed, so that no two entries are one message; what is left is the entity."""
    return _FRAME.pack(len(kind), len(field), *numbers) + kind + field + entity
