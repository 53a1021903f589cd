"""What the data plane knows, indexed by the questions that a Check asks."""

from extauthz.catalog.api_index import ApiIndex, base_path
from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.issuer_index import IssuerIndex
from extauthz.catalog.opaque_token_index import OpaqueTokenIndex
from extauthz.catalog.request_path import segments
from extauthz.catalog.resource_template import ResourceTree
from extauthz.model.api import Api, ResourceMatch
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.check import Access, Headers, Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription

_ClientId = tuple[str, str, str]
"""(organization, key manager id, client id)."""


class _Indexes:
    """One catalog's look-up tables; never changed once built."""

    def __init__(self, contents: CatalogContents) -> None:
        self.apis: dict[str, Api] = {api.id: api for api in contents.apis}
        self.by_path = ApiIndex(contents.apis)
        self.resources = {api.id: ResourceTree(api.resources) for api in contents.apis}
        self.base_paths = {api.id: base_path(api.context) for api in contents.apis}
        self.key_managers = {(km.organization, km.id): km for km in contents.key_managers if km.enabled}
        self.issuers = IssuerIndex(self.key_managers.values())
        self.clients: dict[_ClientId, tuple[Application, ApplicationKey]] = {
            (application.organization, key.key_manager, key.client_id): (application, key)
            for application in contents.applications
            for key in application.keys
        }
        self.subscriptions: dict[tuple[str, str], Subscription] = {
            (subscription.application, subscription.api): subscription for subscription in contents.subscriptions
        }
        self.opaque_tokens = OpaqueTokenIndex(
            apis=contents.apis,
            key_managers=self.key_managers.values(),
            rules=contents.opaque_token_rules,
            try_next=contents.opaque_token_try_next,
        )


class Catalog:
    """The data plane's read model. Only `replace()` changes it, synchronously."""

    def __init__(self, contents: CatalogContents | None = None) -> None:
        self._loaded = _Indexes(contents) if contents is not None else None

    def replace(self, contents: CatalogContents) -> None:
        """Takes over new contents as a whole."""
        self._loaded = _Indexes(contents)

    @property
    def _indexes(self) -> _Indexes:
        if self._loaded is None:
            raise Unavailable("catalog", "not loaded yet")
        return self._loaded

    def match(self, request: RequestContext) -> ResourceMatch:
        """The API and resource that a request is for.

        Raises:
            Denied: no_matching_api, no_matching_resource or method_not_allowed.
            Unavailable: nothing was loaded yet.
        """
        path = segments(request.path)
        if path is None:
            raise Denied(Reason.NO_MATCHING_API, "the path has more than one reading")
        api = self._api(request, path)
        # `/petstore/v1` and `/petstore/v1/` both mean the template `/`.
        below = path[len(self._indexes.base_paths[api.id]) :] or ("",)
        resources = self._indexes.resources[api.id].find(below)
        if resources is None:
            raise Denied(Reason.NO_MATCHING_RESOURCE, f"no template of {api.id} matches")
        resource = resources.get(request.method)
        if resource is None:
            raise Denied(
                Reason.METHOD_NOT_ALLOWED, f"not a method of this resource of {api.id}", methods=frozenset(resources)
            )
        return ResourceMatch(api=api, resource=resource)

    def _api(self, request: RequestContext, path: tuple[str, ...]) -> Api:
        if request.api_id is None:
            api = self._indexes.by_path.find(request.host, path)
            if api is None:
                raise Denied(Reason.NO_MATCHING_API, "no API has this host and base path")
            return api
        api = self._indexes.apis.get(request.api_id)
        if api is None:
            raise Denied(Reason.NO_MATCHING_API, "the route names an API that is not in the catalog")
        base = self._indexes.base_paths[api.id]
        if path[: len(base)] != base:
            raise Denied(Reason.NO_MATCHING_API, f"the path does not begin with the context of {api.id}")
        return api

    def key_manager_for_jwt(self, api: Api, issuer: str, audiences: frozenset[str]) -> KeyManager | None:
        """The enabled key manager that checks JWTs with this `iss` and `aud` (see `IssuerIndex.find`)."""
        return self._indexes.issuers.find(api, issuer, audiences)

    def key_managers_that_decrypt(self, organization: str, issuer: str | None) -> tuple[KeyManager, ...]:
        """The enabled key managers that an encrypted token may belong to (see `IssuerIndex.decrypting`)."""
        return self._indexes.issuers.decrypting(organization, issuer)

    def key_managers_for_opaque_token(self, api: Api, token: str, headers: Headers) -> tuple[KeyManager, ...]:
        """The enabled key managers that may see an opaque token, in this order (see `OpaqueTokenIndex.find`)."""
        return self._indexes.opaque_tokens.find(api, token, headers)

    def access(self, principal: Principal, match: ResourceMatch) -> Access:
        """Who calls what, by one walk through dictionaries.

        Everything is looked up again by id, since the catalog may have changed while a token was being checked.

        Raises:
            Denied: the key manager is gone or has other settings now.
            Unavailable: the API or the resource has changed under this request.
        """
        indexes, api, key_manager = self._indexes, match.api, principal.key_manager
        current = indexes.apis.get(api.id)
        if current is not api and (current is None or match.resource not in current.resources):
            raise Unavailable("catalog", f"{api.id} changed during the check")
        now = indexes.key_managers.get((key_manager.organization, key_manager.id))
        if now is None or now.fingerprint != key_manager.fingerprint:
            raise Denied(Reason.INVALID_TOKEN, f"key manager {key_manager.id} changed during the check")
        client = (api.organization, key_manager.id, principal.facts.client_id or "")
        application, key = indexes.clients.get(client, (None, None))
        return Access(
            api=current,
            resource=match.resource,
            principal=principal
            if now is key_manager
            else Principal(key_manager=now, facts=principal.facts, token_key=principal.token_key),
            application=application,
            key_type=key.key_type if key else None,
            subscription=indexes.subscriptions.get((application.id, api.id)) if application else None,
        )
