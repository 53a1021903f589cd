"""The first level: facts in this process, bounded by entries, the least recently used leave first."""

from msgspec import Struct

from extauthz.cache.cache import believed
from extauthz.cache.recent import Recent
from extauthz.model.clock import Clock
from extauthz.model.token import TokenFacts


class MemoryCache:
    """Synchronous, for one event loop. Negative facts have a list of their own: garbage cannot push out good tokens.

    A limit of 0 holds nothing.

    Raises:
        ValueError: a limit below 0.
    """

    def __init__(self, *, entries: int, negative_entries: int, clock: Clock) -> None:
        self._known: Recent[_Held] = Recent(entries)
        self._refused: Recent[_Held] = Recent(negative_entries)
        self._clock = clock

    def get(self, key: bytes) -> TokenFacts | None:
        """What is known and may still be believed."""
        held = self._known.get(key) or self._refused.get(key)
        if held is None:
            return None
        facts = held.facts
        now = self._clock()
        if now < facts.believe_until:  # `believed`, written out: this is asked on every Check
            return facts
        if not now < held.keep_until:
            self.forget(key)
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
            self._known.put(key, _Held(facts, facts.believe_until + keep_seconds))
        else:
            self._refused.put(key, _Held(facts, facts.believe_until))

    def forget(self, key: bytes) -> None:
        """Remove what is held under a key."""
        self._known.remove(key)
        self._refused.remove(key)

    def __len__(self) -> int:
        return len(self._known) + len(self._refused)


class _Held(Struct, frozen=True):
    facts: TokenFacts
    keep_until: float
