"""One Check, read straight down: which API, who calls, may they, what the upstream is told."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from extauthz.authn.authenticator import AuthenticatorChain
from extauthz.authz.api_state import ensure_published
from extauthz.authz.authorizer import AUTHORIZERS
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.resource_match import resource_match
from extauthz.extensions.protocols import Authorizer
from extauthz.model.api import Api, ResourceMatch
from extauthz.model.check import NO_HEADERS, Access, Allow, Decision, Deny, Principal, RequestContext
from extauthz.model.cors import allowed_origin
from extauthz.model.errors import Denied, Unavailable
from extauthz.telemetry.stage_times import StageTimes, untimed


class BackendJwt(Protocol):
    """Makes the token for the upstream."""

    def __call__(self, access: Access, /) -> str | Awaitable[str] | None:
        """A JWT in compact form, or what is awaited for one that must be made; None where the upstream gets none.

        Raises (and the awaitable):
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


class Timing(Protocol):
    """Says which Checks are timed."""

    def __call__(self, request: RequestContext, /) -> StageTimes:
        """A Check begins. Asked on every one, timed or not, so it must take no time itself."""
        ...


class CheckPipeline:
    """Decides about a request; knows no transport."""

    def __init__(
        self,
        catalog: Catalog,
        authenticators: AuthenticatorChain,
        backend_jwt: BackendJwt,
        *,
        extensions: Sequence[Authorizer] = (),
        upstream_headers: UpstreamHeaders | None = None,
        timing: Timing = untimed,
    ) -> None:
        """`upstream_headers` None: nothing but the backend JWT."""
        self._catalog = catalog
        self._authenticators = authenticators
        self._backend_jwt = backend_jwt
        self._extensions = tuple(extensions)
        self._upstream_headers = upstream_headers
        self._timing = timing

    async def decide(self, request: RequestContext) -> Decision:
        """Allow or Deny; a refusal and a dependency that does not answer are both decisions."""
        # In one function: as coroutines, or behind calls, the steps would cost as much again as what they do.
        api = match = principal = None
        times = self._timing(request)
        try:
            located = self._catalog.locate(request)
            api = located.indexed.api
            match = resource_match(request, located)
            ensure_published(api)
            if match.resource.open or match.preflight:
                return Allow(match)
            times.stage_over()

            principal = await self._authenticators.authenticate(request, api)
            times.stage_over()

            access = self._catalog.access(principal, match)
            ensure_published(access.api)  # it may have been blocked while the issuer was asked
            for authorize in AUTHORIZERS:
                authorize(access)
            for extension in self._extensions:  # after our own, so that they can only refuse
                await extension.authorize(request, access)
            times.stage_over()

            headers = NO_HEADERS if self._upstream_headers is None else self._upstream_headers(access)
            backend_jwt = self._backend_jwt(access)
            if backend_jwt is not None and not isinstance(backend_jwt, str):
                backend_jwt = await backend_jwt
            return Allow(match, access, backend_jwt, headers)
        except Denied as denied:
            deny = Deny.of(denied)
        except Unavailable as unavailable:
            deny = Deny.unavailable(unavailable)
        finally:
            times.over()
        return _told_with(deny, request, api, match, principal)


def _told_with(
    deny: Deny, request: RequestContext, api: Api | None, match: ResourceMatch | None, principal: Principal | None
) -> Deny:
    cors = api.cors if api else None
    key_manager = principal.key_manager if principal else None
    return replace(
        deny,
        api=api,
        resource=match.resource if match else None,
        key_manager=key_manager.id if key_manager else deny.key_manager,
        allow_origin=allowed_origin(cors, request.headers.get("origin")) if cors else None,
    )
