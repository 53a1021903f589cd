"""What is known about a key manager's tokens: from the cache or learned now, and in either case judged anew."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from extauthz.authn.current import ensure_access_token, ensure_current
from extauthz.cache.cache import LearnNow, TokenCache
from extauthz.cache.keys import CacheKeys, NamedToken
from extauthz.cache.memory import MemoryCache
from extauthz.model.check import Principal
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts


class Revocations(Protocol):
    """What is no longer valid before its time; answers from memory."""

    introspects_unbounded: bool
    """Whether a token that `outlives` is accepted where its key manager says so when it is asked anew."""

    def is_revoked(self, token: str, key_manager: KeyManager, facts: TokenFacts | None) -> bool:
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


class Trusts(Protocol):
    """Says whether a key that verified a signature earlier is still trusted."""

    def __call__(self, thumbprint: str, /) -> bool:
        """By its RFC 7638 SHA-256 thumbprint."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTokens:
    """Facts about tokens, and the principals that they make."""

    cache: TokenCache
    keys: CacheKeys
    clock: Clock
    revocations: Revocations
    refused: MemoryCache
    """Tokens that were found revoked, which nothing takes back: so they cost their issuer no question each time."""

    def holds(self, token: NamedToken, key_manager: KeyManager) -> bool:
        """Whether this process knows a token, so that `principal` asks nobody (unless it stops trusting a key)."""
        return self.cache.peek(self._key(token, key_manager)) is not None

    def held(self, token: NamedToken, key_manager: KeyManager, trusts: Trusts | None = None) -> Principal | None:
        """What `principal` says, where that needs no waiting; None: ask `principal`.

        Nearly every Check ends here. What is held is judged by all that `principal` judges it by.

        Raises:
            Denied: the token is refused, or not current.
            Unavailable: the revocations of the past are not known yet.
        """
        key = self.keys.token_key(key_manager.organization, key_manager.id, key_manager.fingerprint, token)
        facts = self.cache.peek(key)
        if facts is None:
            return None
        if trusts is not None and facts.signing_key is not None and not trusts(facts.signing_key):
            return None
        try:
            ensure_current(facts, key_manager, self.clock())
            ensure_access_token(facts, key_manager)
            # `refused` is not asked: what is in it was revoked, and a revocation is kept longer.
            if self.revocations.is_revoked(token.value, key_manager, facts) or self.revocations.outlives(facts):
                return None
        except (Denied, Unavailable) as refusal:
            refusal.key_manager = key_manager.id
            raise
        return Principal(facts, key, key_manager, token.value)

    def learned(self, token: NamedToken, key_manager: KeyManager, learn: LearnNow) -> Principal | None:
        """What `principal` says of a token that is new here, where nobody need be asked; None: ask `principal`.

        Also None where more is to be done than to say yes or no; what was learned by then, `principal` finds.

        Raises:
            Denied: the token is refused, revoked, or not current.
            Unavailable: the revocations of the past are not known yet.
        """
        key = self._key(token, key_manager)
        if self.refused.get(key) is not None or self.cache.peek(key) is not None:
            return None
        if self.revocations.is_revoked(token.value, key_manager, None):
            raise Denied(Reason.TOKEN_INACTIVE, "revoked")
        facts = self.cache.learned(key, learn)
        if facts is None:
            return None
        ensure_current(facts, key_manager, self.clock())
        ensure_access_token(facts, key_manager)
        if self.revocations.is_revoked(token.value, key_manager, facts) or self.revocations.outlives(facts):
            return None
        return Principal(facts, key, key_manager, token.value)

    async def principal(
        self,
        token: NamedToken,
        key_manager: KeyManager,
        learn: Callable[[], Awaitable[TokenFacts]],
        *,
        trusts: Trusts | None = None,
        stale_seconds: float = 0.0,
    ) -> Principal:
        """Who holds a token. A cached fact whose signing key is not trusted any more is forgotten and learned again.

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
        if facts is not None and trusts is not None and facts.signing_key is not None and not trusts(facts.signing_key):
            await self.cache.forget(key)
            facts = None
        if facts is None:
            # A token that is revoked by itself costs its issuer no question, and nothing is held that would have to go.
            if self.revocations.is_revoked(token.value, key_manager, None):
                raise Denied(Reason.TOKEN_INACTIVE, "revoked")
            facts = await self.cache.facts(key, learn, stale_seconds=stale_seconds)
        ensure_current(facts, key_manager, self.clock())
        ensure_access_token(facts, key_manager)
        # Last, and after a fresh answer as well: what was revoked while the issuer was being asked is known by now.
        await self.ensure_not_revoked(token, key_manager, facts)
        self._ensure_bounded(facts)
        return Principal(facts, key, key_manager, token.value)

    async def ensure_not_revoked(self, token: NamedToken, key_manager: KeyManager, facts: TokenFacts) -> None:
        """Nothing that is known of a token was revoked; else what was cached about it is forgotten.

        Raises:
            Denied: token_inactive.
            Unavailable: the revocations of the past are not known yet.
        """
        if not self.revocations.is_revoked(token.value, key_manager, facts):
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

    def _key(self, token: NamedToken, key_manager: KeyManager) -> bytes:
        return self.keys.token_key(key_manager.organization, key_manager.id, key_manager.fingerprint, token)
