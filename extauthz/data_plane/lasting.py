"""What a process has from its start to its end, whatever settings it reads meanwhile."""

import secrets as randomness
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from extauthz.cache.replay import MemoryReplay
from extauthz.cache.tiered import Lookups
from extauthz.model.clock import Clock
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.revocation_list import RevocationList
from extauthz.settings.binding import DpopSettings
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health
from extauthz.telemetry.metrics import Metrics
from extauthz.telemetry.readings import HealthReadings


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRevocations:
    """Those that no other process knows: forgotten with new settings, they would let in again whom they keep out."""

    keys: RevocationKeys
    revoked: RevocationList


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLookups:
    """How often each of the caches of tokens was asked."""

    jwt: Lookups = field(default_factory=Lookups)
    introspection: Lookups = field(default_factory=Lookups)

    def counts(self) -> Mapping[tuple[str, ...], float]:
        """By cache, level and result; JWTs are in process only."""
        jwt, introspection = self.jwt, self.introspection
        return {
            ("jwt", "memory", "hit"): jwt.memory_hits,
            ("jwt", "memory", "miss"): jwt.memory_misses,
            ("introspection", "memory", "hit"): introspection.memory_hits,
            ("introspection", "memory", "miss"): introspection.memory_misses,
            ("introspection", "redis", "hit"): introspection.store_hits,
            ("introspection", "redis", "miss"): introspection.store_misses,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """Handed to each data plane of the process."""

    clock: Clock
    health: Health
    """Of the process: that of the data plane that serves, and `settings`."""
    components: HealthReadings
    metrics: Metrics
    revocations: OwnRevocations
    """With `revocation.backend: memory`."""
    replay: MemoryReplay
    """Where proofs are remembered in process: none counts twice."""
    log_lines_dropped: Callable[[], int]
    """How many lines of the log found no room."""
    lookups: CacheLookups = field(default_factory=CacheLookups)
    reloads: Counter[str] = field(default_factory=lambda: Counter(applied=0, refused=0))
    """How often changed settings were read, by what became of them."""

    @classmethod
    def of(cls, settings: Settings, clock: Clock, *, log_lines_dropped: Callable[[], int] = lambda: 0) -> Self:
        """For a process that starts with these settings."""
        health, revoked = Health(), RevocationList(clock)
        revoked.known = True
        return cls(
            clock=clock,
            health=health,
            components=HealthReadings(health),
            metrics=Metrics(apis=settings.metrics.apis, key_managers=settings.metrics.key_managers),
            revocations=OwnRevocations(keys=RevocationKeys([randomness.token_bytes(32)]), revoked=revoked),
            replay=MemoryReplay(entries=(settings.dpop or DpopSettings()).replay_entries, clock=clock),
            log_lines_dropped=log_lines_dropped,
        )
