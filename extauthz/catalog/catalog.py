"""What the data plane knows, asked by a Check."""

from collections.abc import Iterable

from extauthz.catalog.access import access
from extauthz.catalog.api_index import Located
from extauthz.catalog.changes import Change
from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.request_path import segments
from extauthz.model.api import Api, ResourceMatch
from extauthz.model.api_key import ApiKey
from extauthz.model.check import Access, Headers, Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager


class Catalog:
    """The data plane's read model. Only `replace()` and `apply()` change it, synchronously."""

    def __init__(self, contents: CatalogContents | None = None) -> None:
        self._loaded = Indexes.of(contents.entities()) if contents is not None else None

    def replace(self, indexes: Indexes) -> None:
        """Takes over new tables as a whole."""
        self._loaded = indexes

    def apply(self, changes: Iterable[Change]) -> None:
        """Takes over changes of what is loaded."""
        for change in changes:
            self._indexes.apply(change)

    @property
    def _indexes(self) -> Indexes:
        if self._loaded is None:
            raise Unavailable("catalog", "not loaded yet")
        return self._loaded

    def locate(self, request: RequestContext) -> Located:
        """The API that a request is for.

        Raises:
            Denied: no_matching_api.
            Unavailable: nothing was loaded yet.
        """
        path = segments(request.path)
        if path is None:
            raise Denied(Reason.NO_MATCHING_API, "the path has more than one reading")
        if request.api_id is not None:
            return self._named(request.api_id, path)
        found = self._indexes.by_path.find(request.host, path)
        if found is None:
            raise Denied(Reason.NO_MATCHING_API, "no API has this host and base path")
        return found

    def _named(self, name: str, path: tuple[str, ...]) -> Located:
        indexed = self._indexes.apis.get(name)
        if indexed is None:
            raise Denied(Reason.NO_MATCHING_API, "the route names an API that is not in the catalog")
        for base in indexed.base_paths:
            if path[: len(base)] == base:
                return Located(indexed, path[len(base) :] or ("",))
        raise Denied(Reason.NO_MATCHING_API, f"the path does not begin with the context of {name}")

    def key_manager_for_jwt(self, api: Api, issuer: str, audiences: frozenset[str]) -> KeyManager | None:
        """The enabled key manager that checks JWTs with this `iss` and `aud` (see `IssuerIndex.find`)."""
        return self._indexes.issuers.find(api, issuer, audiences)

    def key_managers_that_decrypt(self, organization: str, issuer: str | None) -> tuple[KeyManager, ...]:
        """The enabled key managers that an encrypted token may belong to (see `IssuerIndex.decrypting`)."""
        return self._indexes.issuers.decrypting(organization, issuer)

    def key_managers_for_opaque_token(self, api: Api, token: str, headers: Headers) -> tuple[KeyManager, ...]:
        """The enabled key managers that may see an opaque token, in this order (see `OpaqueTokenIndex.find`)."""
        return self._indexes.opaque_tokens.find(api, token, headers)

    def api_key(self, hashed: bytes) -> ApiKey | None:
        """The API key with this hash."""
        return self._indexes.api_keys.get(hashed)

    def access(self, principal: Principal, match: ResourceMatch) -> Access:
        """Who calls what (see `access`)."""
        return access(self._indexes, principal, match)
