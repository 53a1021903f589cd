"""The revocations that this process knows."""

import heapq
from collections.abc import Mapping
from dataclasses import replace

from extauthz.model.clock import Clock
from extauthz.revocation.revocation import Entry


class RevocationList:
    """Entries by name, for one event loop. Each leaves at its end; nothing is ever searched for what has ended.

    Nothing but its end removes an entry: a limit would make room for a revocation by forgetting another. One takes
    about 300 bytes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[bytes, Entry] = {}
        self._ends: list[tuple[float, bytes]] = []
        self.known = False
        """Whether all revocations of the past are in it."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Hold an entry; of two under one name, whatever revokes more is kept."""
        held = self._entries.get(entry.name)
        merged = entry if held is None else _merged(held, entry)
        if merged != held and merged.keep_until > self._clock():
            self._entries[entry.name] = merged
            heapq.heappush(self._ends, (merged.keep_until, merged.name))
        self._leave()

    def current(self) -> Mapping[bytes, Entry]:
        """Those that have not ended, by name; to be looked at and let go."""
        if self._ends and self._ends[0][0] <= self._clock():
            self._leave()
        return self._entries

    def entries(self) -> tuple[Entry, ...]:
        """All of now, to be kept."""
        return tuple(self.current().values())

    def _leave(self) -> None:
        """Drop what has ended: a look at the earliest end, then as much work as there are entries that leave."""
        now = self._clock()
        while self._ends and self._ends[0][0] <= now:
            _, name = heapq.heappop(self._ends)
            entry = self._entries.get(name)
            # An entry that was prolonged has another end further down.
            if entry is not None and entry.keep_until <= now:
                del self._entries[name]


def _merged(one: Entry, other: Entry) -> Entry:
    keep_until = max(one.keep_until, other.keep_until)
    if one.issued_until is None or other.issued_until is None:
        return replace(one, issued_until=None, keep_until=keep_until)
    return replace(one, issued_until=max(one.issued_until, other.issued_until), keep_until=keep_until)
