"""What is known about a key manager's tokens: from the cache or learned now, and in either case judged anew."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from extauthz.authn.current import ensure_access_token, ensure_current
from extauthz.cache.cache import TokenCache
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.model.check import BearerToken, Principal
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts


class Revocations(Protocol):
    """What is no longer valid before its time; answers from memory."""

    introspects_unbounded: bool
    """Whether a token that `outlives` is accepted where its key manager says so when it is asked anew."""

    def is_revoked(self, token: BearerToken, key_manager: KeyManager, facts: TokenFacts | None) -> bool:
        """Whether a token was revoked; without facts, only by what the token itself tells.

        Raises:
            Unavailable: the revocations of the past are not known yet.
        """
        ...

    def outlives(self, facts: TokenFacts) -> bool:
        """Whether a token may be valid for longer than a revocation of it is remembered."""
        ...


class OutlivesRevocation(Denied):
    """A token that could come back to life, unless its key manager is asked about it."""


_REFUSED_SECONDS = 30.0


def _always(_: TokenFacts) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTokens:
    """Facts about tokens, and the principals that they make."""

    cache: TokenCache
    keys: CacheKeys
    clock: Clock
    revocations: Revocations
    refused: MemoryCache
    """Tokens that were found revoked, which nothing takes back: so they cost their issuer no question each time."""

    def holds(self, token: BearerToken, key_manager: KeyManager) -> bool:
        """Whether this process knows a token, so that `principal` asks nobody (unless it stops trusting a key)."""
        return self.cache.peek(self._key(token, key_manager)) is not None

    async def principal(
        self,
        token: BearerToken,
        key_manager: KeyManager,
        learn: Callable[[], Awaitable[TokenFacts]],
        *,
        still_trusted: Callable[[TokenFacts], bool] = _always,
        stale_seconds: float = 0.0,
    ) -> Principal:
        """Who holds a token. A cached fact that is not `still_trusted` is forgotten and learned again.

        One that is over is used for `stale_seconds` more while `learn` finds nobody who answers.

        Raises:
            Denied: the token is refused, revoked, or not current.
            OutlivesRevocation: only introspection can tell whether it is revoked.
            Unavailable: the issuer does not answer, or the revocations are not known yet.
        """
        key = self._key(token, key_manager)
        if (refused := self.refused.get(key)) is not None:
            ensure_current(refused, key_manager, self.clock())
        facts = self.cache.peek(key)
        if facts is not None and not still_trusted(facts):
            await self.cache.forget(key)
            facts = None
        if facts is None:
            # A token that is revoked by itself costs its issuer no question, and nothing is held that would have to go.
            if self.revocations.is_revoked(token, key_manager, None):
                raise Denied(Reason.TOKEN_INACTIVE, "revoked")
            facts = await self.cache.facts(key, learn, stale_seconds=stale_seconds)
        ensure_current(facts, key_manager, self.clock())
        ensure_access_token(facts, key_manager)
        # Last, and after a fresh answer as well: what was revoked while the issuer was being asked is known by now.
        await self.ensure_not_revoked(token, key_manager, facts)
        self._ensure_bounded(facts)
        return Principal(key_manager=key_manager, facts=facts, token_key=key, token=token.value)

    async def ensure_not_revoked(self, token: BearerToken, key_manager: KeyManager, facts: TokenFacts) -> None:
        """Nothing that is known of a token was revoked; else what was cached about it is forgotten.

        Raises:
            Denied: token_inactive.
            Unavailable: the revocations of the past are not known yet.
        """
        if not self.revocations.is_revoked(token, key_manager, facts):
            return
        key = self._key(token, key_manager)
        until = self.clock() + _REFUSED_SECONDS
        self.refused.put(key, TokenFacts(form=facts.form, believe_until=until, refusal=Reason.TOKEN_INACTIVE))
        await self.cache.forget(key)
        raise Denied(Reason.TOKEN_INACTIVE, "revoked")

    def _ensure_bounded(self, facts: TokenFacts) -> None:
        if self.revocations.outlives(facts):
            detail = "lives longer than a revocation of it would be kept (revocation.retention_seconds)"
            denied = OutlivesRevocation if self.revocations.introspects_unbounded else Denied
            raise denied(Reason.INVALID_TOKEN, detail)

    def _key(self, token: BearerToken, key_manager: KeyManager) -> bytes:
        return self.keys.token_key(key_manager.organization, key_manager.id, key_manager.fingerprint, token.value)
