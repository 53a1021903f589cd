"""One Check, read straight down: which API, who calls, may they, what the upstream is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from extauthz.authn.authenticator import AuthenticatorChain
from extauthz.authz.api_state import ensure_published
from extauthz.authz.authorizer import AUTHORIZERS
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.resource_match import resource_match
from extauthz.extensions.protocols import Authorizer
from extauthz.model.api import Api, ResourceMatch
from extauthz.model.check import Access, Allow, Decision, Deny, RequestContext
from extauthz.model.cors import allowed_origin
from extauthz.model.errors import Denied, Unavailable


class BackendJwt(Protocol):
    """Makes the token for the upstream."""

    async def __call__(self, access: Access, /) -> str | None:
        """A JWT in compact form, or None where the upstream gets none.

        Raises:
            Denied: the token's own claim for the upstream is not one.
            Unavailable: who knows about the user does not answer.
        """
        ...


class UpstreamHeaders(Protocol):
    """Makes what else the upstream is told."""

    def __call__(self, access: Access, /) -> Mapping[str, str]:
        """Values by header name in lower case, printable ASCII, never empty.

        Raises:
            Denied: something that must be told cannot be sent.
        """
        ...


@dataclass(slots=True)
class _Progress:
    """How far a Check has come, for the refusal's log and headers."""

    api: Api | None = None
    match: ResourceMatch | None = None


class CheckPipeline:
    """Decides about a request; knows no transport."""

    def __init__(
        self,
        catalog: Catalog,
        authenticators: AuthenticatorChain,
        backend_jwt: BackendJwt,
        *,
        extensions: Sequence[Authorizer] = (),
        upstream_headers: UpstreamHeaders = lambda _access: {},
    ) -> None:
        self._catalog = catalog
        self._authenticators = authenticators
        self._backend_jwt = backend_jwt
        self._extensions = tuple(extensions)
        self._upstream_headers = upstream_headers

    async def decide(self, request: RequestContext) -> Decision:
        """Allow or Deny; a refusal and a dependency that does not answer are both decisions."""
        progress = _Progress()
        try:
            return await self._decide(request, progress)
        except Denied as denied:
            deny = Deny.of(denied)
        except Unavailable as unavailable:
            deny = Deny.unavailable(unavailable)
        return _told_with(deny, request, progress)

    async def _decide(self, request: RequestContext, progress: _Progress) -> Decision:
        located = self._catalog.locate(request)
        progress.api = located.api
        progress.match = match = resource_match(request, located)
        ensure_published(match.api)
        if match.resource.open or match.preflight:
            return Allow(match=match)
        principal = await self._authenticators.authenticate(request, match.api)
        access = self._catalog.access(principal, match)
        ensure_published(access.api)  # it may have been blocked while the issuer was asked
        for authorize in AUTHORIZERS:
            authorize(access)
        for extension in self._extensions:  # after our own, so that they can only refuse
            await extension.authorize(request, access)
        headers = self._upstream_headers(access)
        return Allow(match=match, access=access, backend_jwt=await self._backend_jwt(access), headers=headers)


def _told_with(deny: Deny, request: RequestContext, progress: _Progress) -> Deny:
    cors = progress.api.cors if progress.api else None
    return replace(
        deny,
        api=progress.api,
        resource=progress.match.resource if progress.match else None,
        allow_origin=allowed_origin(cors, request.headers.get("origin")) if cors else None,
    )
