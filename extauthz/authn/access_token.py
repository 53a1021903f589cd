"""Access tokens: whose they are, and that whoever shows one may."""

from collections.abc import Sequence
from typing import Protocol

from extauthz.authn.binding import BindingCheck
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal, RequestContext
from extauthz.model.errors import Denied, Reason


class TokenAuthenticator(Protocol):
    """Knows one form of token."""

    async def authenticate(self, token: BearerToken, api: Api, request: RequestContext) -> Principal | None:
        """Who calls, or None if a token of this form is not mine.

        Raises:
            Denied: it is mine, and refused.
            Unavailable: it is mine, and whoever knows about it does not answer.
        """
        ...


class AccessTokens:
    """The first authenticator that owns the token decides: a refused token never meets the next one."""

    def __init__(self, authenticators: Sequence[TokenAuthenticator], *, binding: BindingCheck) -> None:
        self._authenticators = tuple(authenticators)
        self._binding = binding

    async def principal(self, token: BearerToken, api: Api, request: RequestContext) -> Principal:
        """Who calls, with a token that is theirs.

        Raises:
            Denied: the token is refused.
            Unavailable: the issuer, or the memory of used proofs, does not answer.
        """
        principal = await self._owner(token, api, request)
        # Facts may come from a cache, filled by another request: who presents the token is asked each time.
        await self._binding.verify(request, token, principal)
        return principal

    async def _owner(self, token: BearerToken, api: Api, request: RequestContext) -> Principal:
        for authenticator in self._authenticators:
            principal = await authenticator.authenticate(token, api, request)
            if principal is not None:
                return principal
        raise Denied(Reason.INVALID_TOKEN, "no authenticator knows this kind of token")
