"""What a load has seen of each entity: an entity may be told twice, and its change may be told before or after it."""

from extauthz.catalog.slices import Slices
from extauthz.catalog.store import Total
from extauthz.catalog.totals import reduced, weight

_SHARDS = 256
"""One dictionary of a million names stalls the loop each time it grows."""
_REVISION_BYTES = 8


class Tally:
    """The newest revision and tag of each entity of a kind, and what they come to."""

    def __init__(self) -> None:
        # Both in one string of bytes: there are a million of them, beside two whole catalogs.
        self._shards: list[dict[str, bytes]] = [{} for _ in range(_SHARDS)]
        self._count = 0
        self._tags = 0

    @property
    def total(self) -> Total:
        """Of all that are there."""
        return reduced(self._count, self._tags)

    def put(self, name: str, revision: int, tag: bytes) -> bool:
        """Notes an entity (empty `tag`: there is none any more); False: this or something newer was seen before."""
        shard = self._shards[hash(name) % _SHARDS]
        new = revision.to_bytes(_REVISION_BYTES, "big") + tag
        seen = shard.setdefault(name, new)
        if seen is not new:
            if seen[:_REVISION_BYTES] >= new[:_REVISION_BYTES]:
                return False
            shard[name] = new
            self._take_away(seen[_REVISION_BYTES:])
        if tag:
            self._count += 1
            self._tags += weight(tag)
        return True

    async def take_apart(self, slices: Slices) -> None:
        """Frees it bit by bit."""
        while self._shards:
            self._shards.pop()
            if slices.over:
                await slices.rest()

    def _take_away(self, tag: bytes) -> None:
        if tag:
            self._count -= 1
            self._tags -= weight(tag)
