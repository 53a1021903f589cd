"""What an authenticator is, and the chain of them."""

from collections.abc import Sequence
from typing import Protocol

from extauthz.authn.binding import BindingCheck
from extauthz.authn.credentials import Credentials
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal, RequestContext
from extauthz.model.errors import Denied, Reason


class Authenticator(Protocol):
    """Knows one kind of credential."""

    async def authenticate(self, token: BearerToken, api: Api, request: RequestContext) -> Principal | None:
        """Who calls, or None if this kind of credential is not mine.

        Raises:
            Denied: it is mine, and refused.
            Unavailable: it is mine, and whoever knows about it does not answer.
        """
        ...


class AuthenticatorChain:
    """The first authenticator that owns the credential decides: a refused token never meets the next one."""

    def __init__(
        self, authenticators: Sequence[Authenticator], *, credentials: Credentials, binding: BindingCheck
    ) -> None:
        self._authenticators = tuple(authenticators)
        self._credentials = credentials
        self._binding = binding

    async def authenticate(self, request: RequestContext, api: Api) -> Principal:
        """Who calls, with a token that is theirs.

        Raises:
            Denied: no credential, or a refused one.
            Unavailable: the issuer, or the memory of used proofs, does not answer.
        """
        token = self._credentials.access_token(request)
        principal = await self._principal(token, api, request)
        # Facts may come from a cache, filled by another request: who presents the token is asked each time.
        await self._binding.verify(request, token, principal)
        return principal

    async def _principal(self, token: BearerToken, api: Api, request: RequestContext) -> Principal:
        for authenticator in self._authenticators:
            principal = await authenticator.authenticate(token, api, request)
            if principal is not None:
                return principal
        raise Denied(Reason.INVALID_TOKEN, "no authenticator knows this kind of token")
