"""What is known about a key manager's tokens: from the cache or learned now, and in either case judged anew."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from extauthz.authn.current import ensure_access_token, ensure_current
from extauthz.cache.cache import TokenCache
from extauthz.cache.keys import CacheKeys
from extauthz.model.check import BearerToken, Principal
from extauthz.model.clock import Clock
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts


def _always(_: TokenFacts) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTokens:
    """Facts about tokens, and the principals that they make."""

    cache: TokenCache
    keys: CacheKeys
    clock: Clock

    async def principal(
        self,
        token: BearerToken,
        key_manager: KeyManager,
        learn: Callable[[], Awaitable[TokenFacts]],
        *,
        still_trusted: Callable[[TokenFacts], bool] = _always,
    ) -> Principal:
        """Who holds a token. A cached fact that is not `still_trusted` is forgotten and learned again.

        Raises:
            Denied: the token is refused, or not current.
            Unavailable: the issuer does not answer.
        """
        key = self.keys.token_key(key_manager.organization, key_manager.id, key_manager.fingerprint, token.value)
        facts = self.cache.peek(key)
        if facts is not None and not still_trusted(facts):
            await self.cache.forget(key)
            facts = None
        if facts is None:
            facts = await self.cache.facts(key, learn)
        ensure_current(facts, key_manager, self.clock())
        ensure_access_token(facts, key_manager)
        return Principal(key_manager=key_manager, facts=facts, token_key=key)
