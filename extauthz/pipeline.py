"""One Check, read straight down: which API, who calls, may they, what the upstream is told."""

from typing import Protocol

from extauthz.authn.authenticator import AuthenticatorChain
from extauthz.authz.api_state import ensure_published
from extauthz.authz.authorizer import AUTHORIZERS
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import ResourceMatch
from extauthz.model.check import Access, Allow, Decision, Deny, RequestContext
from extauthz.model.errors import Denied, Unavailable


class BackendJwt(Protocol):
    """Makes the token for the upstream."""

    def __call__(self, access: Access, /) -> str | None:
        """A JWT in compact form, or None where the upstream gets none.

        Raises:
            Denied: the token's own claim for the upstream is not one.
        """
        ...


class CheckPipeline:
    """Decides about a request; knows no transport."""

    def __init__(self, catalog: Catalog, authenticators: AuthenticatorChain, backend_jwt: BackendJwt) -> None:
        self._catalog = catalog
        self._authenticators = authenticators
        self._backend_jwt = backend_jwt

    async def decide(self, request: RequestContext) -> Decision:
        """Allow or Deny; a refusal and a dependency that does not answer are both decisions."""
        match: ResourceMatch | None = None
        try:
            match = self._catalog.match(request)
            return await self._decide(request, match)
        except Denied as denied:
            return Deny.of(denied, match)
        except Unavailable as unavailable:
            return Deny.unavailable(unavailable, match)

    async def _decide(self, request: RequestContext, match: ResourceMatch) -> Decision:
        ensure_published(match.api)
        if match.resource.open:
            return Allow(match=match)
        principal = await self._authenticators.authenticate(request, match.api)
        access = self._catalog.access(principal, match)
        ensure_published(access.api)  # it may have been blocked while the issuer was asked
        for authorize in AUTHORIZERS:
            authorize(access)
        return Allow(match=match, access=access, backend_jwt=self._backend_jwt(access))
