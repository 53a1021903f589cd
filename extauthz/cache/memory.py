"""The first level: facts in this process, bounded by entries, the least recently used leave first."""

from collections import OrderedDict

from extauthz.cache.cache import believed
from extauthz.model.clock import Clock
from extauthz.model.token import TokenFacts


class MemoryCache:
    """Synchronous, for one event loop. Negative facts have a list of their own: garbage cannot push out good tokens.

    A limit of 0 holds nothing.

    Raises:
        ValueError: a limit below 0.
    """

    def __init__(self, *, entries: int, negative_entries: int, clock: Clock) -> None:
        self._known = _Recent(entries)
        self._refused = _Recent(negative_entries)
        self._clock = clock

    def get(self, key: bytes) -> TokenFacts | None:
        """What is known and may still be believed."""
        entries = self._known if key in self._known.facts else self._refused
        facts = entries.get(key)
        if facts is None:
            return None
        if not believed(facts, self._clock()):
            entries.remove(key)
            return None
        return facts

    def put(self, key: bytes, facts: TokenFacts) -> None:
        """Hold a fact until its `believe_until`, in place of any other under this key."""
        self.forget(key)
        if believed(facts, self._clock()):
            entries = self._known if facts.refusal is None else self._refused
            entries.add(key, facts)

    def forget(self, key: bytes) -> None:
        """Remove what is held under a key."""
        self._known.remove(key)
        self._refused.remove(key)

    def __len__(self) -> int:
        return len(self._known.facts) + len(self._refused.facts)


class _Recent:
    """Facts in the order of their last use."""

    __slots__ = ("_limit", "facts")

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"a cache cannot hold {limit} entries")
        self._limit = limit
        self.facts: OrderedDict[bytes, TokenFacts] = OrderedDict()

    def get(self, key: bytes) -> TokenFacts | None:
        facts = self.facts.get(key)
        if facts is not None:
            self.facts.move_to_end(key)
        return facts

    def add(self, key: bytes, facts: TokenFacts) -> None:
        self.facts[key] = facts
        while len(self.facts) > self._limit:
            self.facts.popitem(last=False)

    def remove(self, key: bytes) -> None:
        self.facts.pop(key, None)
