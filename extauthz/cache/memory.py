"""The first level: facts in this process, bounded by entries, the least recently used leave first."""

from collections import OrderedDict
from dataclasses import dataclass

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
        entries = self._known if key in self._known.held else self._refused
        held = entries.get(key)
        if held is None:
            return None
        now = self._clock()
        if believed(held.facts, now):
            return held.facts
        if not now < held.keep_until:
            entries.remove(key)
        return None

    def stale(self, key: bytes) -> TokenFacts | None:
        """A positive fact that is over, or not even that, and was to be kept until now."""
        held = self._known.get(key)
        return held.facts if held is not None and self._clock() < held.keep_until else None

    def put(self, key: bytes, facts: TokenFacts, *, keep_seconds: float = 0.0) -> None:
        """Hold a fact until its `believe_until`, in place of any other under this key.

        A positive one can be had by `stale` for `keep_seconds` more.
        """
        self.forget(key)
        if not believed(facts, self._clock()):
            return
        if facts.refusal is None:
            self._known.add(key, _Held(facts=facts, keep_until=facts.believe_until + keep_seconds))
        else:
            self._refused.add(key, _Held(facts=facts, keep_until=facts.believe_until))

    def forget(self, key: bytes) -> None:
        """Remove what is held under a key."""
        self._known.remove(key)
        self._refused.remove(key)

    def __len__(self) -> int:
        return len(self._known.held) + len(self._refused.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    facts: TokenFacts
    keep_until: float


class _Recent:
    """Facts in the order of their last use."""

    __slots__ = ("_limit", "held")

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"a cache cannot hold {limit} entries")
        self._limit = limit
        self.held: OrderedDict[bytes, _Held] = OrderedDict()

    def get(self, key: bytes) -> _Held | None:
        held = self.held.get(key)
        if held is not None:
            self.held.move_to_end(key)
        return held

    def add(self, key: bytes, held: _Held) -> None:
        self.held[key] = held
        while len(self.held) > self._limit:
            self.held.popitem(last=False)

    def remove(self, key: bytes) -> None:
        self.held.pop(key, None)
