"""What all entities of a catalog come to: the sums by which a missing or an older entry shows."""

import hashlib
from collections.abc import Iterable, Mapping

from extauthz.catalog.changes import Kind
from extauthz.catalog.store import Stored, StoredChange, Total

TOTAL_BYTES = 256
"""Of a sum. Whoever knows several versions of many entities must not find others with the same sum: of 32 bytes,
Wagner's generalized birthday attack would find them in some 2**35 steps, of so many in more than 2**90."""
_MODULUS = 1 << 8 * TOTAL_BYTES


def weight(tag: bytes) -> int:
    """What an entity with this tag adds to the sum; nothing for the empty tag, which none has."""
    return int.from_bytes(hashlib.shake_256(tag).digest(TOTAL_BYTES), "big") if tag else 0


def totals(entities: Iterable[Stored]) -> dict[Kind, Total]:
    """The totals of entities, each of which comes once; every kind has one."""
    counts, sums = dict.fromkeys(Kind, 0), dict.fromkeys(Kind, 0)
    for stored in entities:
        counts[stored.kind] += 1
        sums[stored.kind] += weight(stored.tag)
    return {kind: reduced(counts[kind], sums[kind]) for kind in Kind}


def reduced(count: int, tags: int) -> Total:
    """A total from a sum as it was counted."""
    return Total(count=count, tags=tags % _MODULUS)


def totals_after(before: Mapping[Kind, Total], changes: Iterable[StoredChange]) -> dict[Kind, Total]:
    """The totals after some changes."""
    after = dict(before)
    for stored in changes:
        kind = stored.change.identity.kind
        was = after.get(kind, Total())
        added = int(stored.change.entity is not None) - int(stored.former_tag != b"")
        after[kind] = reduced(was.count + added, was.tags - weight(stored.former_tag) + weight(stored.tag))
    return after
