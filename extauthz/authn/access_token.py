"""Access tokens: whose they are, and that whoever shows one may."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from extauthz.authn.binding import BindingCheck
from extauthz.cache.keys import CacheKeys, NamedToken
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable


class TokenAuthenticator(Protocol):
    """Knows one form of token."""

    def authenticate(
        self, token: NamedToken, api: Api, request: RequestContext
    ) -> Principal | Awaitable[Principal | None] | None:
        """Who calls, or None if a token of this form is not mine: at once, or what has to be awaited for it.

        At once for a token that is known, which is nearly every one: a coroutine that waits for nothing costs as much
        as three calls, and the way of a token led through four.

        Raises:
            Denied: it is mine, and refused.
            Unavailable: it is mine, and whoever knows about it does not answer.
        """
        ...


class AccessTokens:
    """The first authenticator that owns the token decides: a refused token never meets the next one."""

    def __init__(self, authenticators: Sequence[TokenAuthenticator], *, keys: CacheKeys, binding: BindingCheck) -> None:
        self._authenticators = tuple(authenticators)
        self._keys = keys
        self._binding = binding

    async def principal(self, token: BearerToken, api: Api, request: RequestContext) -> Principal:
        """Who calls, with a token that is theirs.

        Raises:
            Denied: the token is refused.
            Unavailable: the issuer, or the memory of used proofs, does not answer.
        """
        named = self._keys.named(token.value)
        for authenticator in self._authenticators:
            found = authenticator.authenticate(named, api, request)
            principal = found if found is None or isinstance(found, Principal) else await found
            if principal is not None:
                # Facts may come from a cache, filled by another request: who presents the token is asked each time.
                try:
                    proof = self._binding.verify(request, token, principal)
                    if proof is not None:
                        await proof
                except (Denied, Unavailable) as refusal:
                    refusal.key_manager = principal.key_manager.id if principal.key_manager else ""
                    raise
                return principal
        raise Denied(Reason.INVALID_TOKEN, "no authenticator knows this kind of token")
