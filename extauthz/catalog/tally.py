"""What a load has seen of each entity: an entity may be told twice, and its change may be told before or after it."""

from extauthz.catalog.changes import Identity, Kind
from extauthz.catalog.slices import Slices
from extauthz.catalog.store import Total
from extauthz.catalog.totals import reduced, weight

_SHARDS = 256
"""One dictionary of a million names stalls the loop each time it grows."""
_TAG_BITS = 256
_TAG = (1 << _TAG_BITS) - 1


class Tally:
    """The newest revision and tag of each entity, and what they come to."""

    def __init__(self) -> None:
        # Both numbers in one: there are a million of them, beside two whole catalogs.
        self._seen: dict[tuple[Kind, str], list[dict[str, int]]] = {}
        self._counts = dict.fromkeys(Kind, 0)
        self._tags = dict.fromkeys(Kind, 0)

    @property
    def totals(self) -> dict[Kind, Total]:
        """Of every kind."""
        return {kind: reduced(self._counts[kind], self._tags[kind]) for kind in Kind}

    def put(self, identity: Identity, revision: int, tag: int) -> bool:
        """Notes an entity (`tag` 0: there is none any more); False: this or something newer was seen before."""
        shard = self._shard(identity)
        seen = shard.get(identity.id, 0)
        if seen and seen >> _TAG_BITS >= revision:
            return False
        shard[identity.id] = revision << _TAG_BITS | tag
        former = seen & _TAG
        self._counts[identity.kind] += bool(tag) - bool(former)
        self._tags[identity.kind] += weight(tag) - weight(former)
        return True

    async def take_apart(self, slices: Slices) -> None:
        """Frees it bit by bit."""
        for shards in self._seen.values():
            while shards:
                shards.pop()
                if slices.over:
                    await slices.rest()

    def _shard(self, identity: Identity) -> dict[str, int]:
        shards = self._seen.get((identity.kind, identity.organization))
        if shards is None:
            shards = self._seen[identity.kind, identity.organization] = [{} for _ in range(_SHARDS)]
        return shards[hash(identity.id) % _SHARDS]
