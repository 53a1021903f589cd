"""The seams of the token cache: what callers see, and what a store shared by replicas must do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from extauthz.model.token import TokenFacts

Learn = Callable[[], Awaitable[TokenFacts]]
"""Asks the issuer (or checks the signature). Its facts carry `believe_until` already; its exceptions are not cached."""

LearnNow = Callable[[], TokenFacts | None]
"""The same where nobody need be asked; None: somebody must be."""


def believed(facts: TokenFacts, now: float) -> bool:
    """Whether a fact may still be believed: the one rule of every cache."""
    return now < facts.believe_until


class TokenCache(Protocol):
    """What is known about tokens, by cache key (`CacheKeys.token_key`)."""

    def peek(self, key: bytes) -> TokenFacts | None:
        """What this process knows, at once; None: ask `facts`."""
        ...

    async def facts(self, key: bytes, learn: Learn, *, stale_seconds: float = 0.0) -> TokenFacts:
        """What is known, learned if need be. Callers who want one key at one time share one call of `learn`.

        When `learn` says Unavailable, a positive fact that this process holds is handed out again, up to
        `stale_seconds` after its `believe_until`: only what `learn` or the store gave while it was to be believed, and
        nothing that a later answer has replaced, be it given to another replica: when a store is shared and does not
        vouch for the fact, or does not answer, nothing is handed out again. Whether the token itself has ended is the
        caller's to check.

        Raises:
            Unavailable: the cache is closing.
            Exception: whatever `learn` raised, to every caller that waited for it.
        """
        ...

    def learned(self, key: bytes, learn: LearnNow) -> TokenFacts | None:
        """What `learn` knows at once, kept as by `facts`; None: it does not, or others are to be asked first.

        For facts that are made without a question: no call, no task and no turn of the event loop. Two who ask at one
        time both learn, which costs less than to wait for each other.

        Raises:
            Exception: whatever `learn` raised.
        """
        ...

    async def forget(self, key: bytes) -> None:
        """The next `facts` learns anew, even while an earlier call is still learning."""
        ...


class ClaimOutcome(Enum):
    """Who is to learn a token."""

    WON = auto()
    """We are."""
    HELD = auto()
    """Another replica is."""
    UNREACHABLE = auto()
    """Nobody knows: the store does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The answer to an attempt to be the one who learns a token."""

    outcome: ClaimOutcome
    owner: bytes = field(default=b"", repr=False)
    """Proves at release that the claim is still ours."""


class FactsStore(Protocol):
    """A store shared by replicas. It never raises: what fails is a miss or does nothing."""

    async def get(self, key: bytes) -> TokenFacts | None:
        """What is stored and may still be believed."""
        ...

    async def put(self, key: bytes, facts: TokenFacts) -> None:
        """Store until `believe_until`."""
        ...

    async def forget(self, key: bytes) -> None:
        """Remove what is stored."""
        ...

    async def claim(self, key: bytes) -> Claim:
        """Try to be the one replica that learns this token; a claim ends by itself after a while."""
        ...

    async def release(self, key: bytes, claim: Claim) -> None:
        """End a claim that was won, if it is still ours."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
