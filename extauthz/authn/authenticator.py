"""What an authenticator is, and the chain of them."""

from collections.abc import Sequence
from typing import Protocol

from extauthz.authn.credentials import bearer_token
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal, RequestContext
from extauthz.model.errors import Denied, Reason


class Authenticator(Protocol):
    """Knows one kind of credential."""

    async def authenticate(self, token: BearerToken, api: Api) -> Principal | None:
        """Who calls, or None if this kind of credential is not mine.

        Raises:
            Denied: it is mine, and refused.
            Unavailable: it is mine, and whoever knows about it does not answer.
        """
        ...


class AuthenticatorChain:
    """The first authenticator that owns the credential decides: a refused token never meets the next one."""

    def __init__(self, authenticators: Sequence[Authenticator], *, max_token_bytes: int) -> None:
        self._authenticators = tuple(authenticators)
        self._max_token_bytes = max_token_bytes

    async def authenticate(self, request: RequestContext, api: Api) -> Principal:
        """Who calls.

        Raises:
            Denied: no credential, or a refused one.
            Unavailable: the issuer does not answer.
        """
        token = bearer_token(request, self._max_token_bytes)
        for authenticator in self._authenticators:
            principal = await authenticator.authenticate(token, api)
            if principal is not None:
                return principal
        raise Denied(Reason.INVALID_TOKEN, "no authenticator knows this kind of token")
