"""One catalog's look-up tables, by the questions that a Check asks; changed one entity at a time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, assert_never

from extauthz.catalog.api_index import ApiIndex, IndexedApi, base_paths
from extauthz.catalog.changes import Change, Entity, Identity, Kind
from extauthz.catalog.issuer_index import IssuerIndex
from extauthz.catalog.opaque_token_index import OpaqueTokenIndex
from extauthz.catalog.resource_template import ResourceTree
from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription

_Named = tuple[str, str]
"""(organization, id)."""


_NO_CLIENTS: Mapping[str, tuple[Application, ApplicationKey]] = {}
_NO_SUBSCRIPTIONS: Mapping[str, Subscription] = {}


class Indexes:
    """Dictionaries by id and by the pairs that a Check asks for."""

    def __init__(self) -> None:
        self.apis: dict[str, IndexedApi] = {}
        self.by_path = ApiIndex()
        self.key_managers: dict[_Named, KeyManager] = {}
        """The enabled ones."""
        self.issuers = IssuerIndex()
        self.opaque_tokens = OpaqueTokenIndex()
        self.applications: dict[_Named, Application] = {}
        self.clients: dict[_Named, dict[str, tuple[Application, ApplicationKey]]] = {}
        """By key manager, then by client id."""
        self.subscriptions: dict[str, dict[str, Subscription]] = {}
        """By application, then by API: a million pairs would take as much memory again as what they lead to."""
        self.api_keys: dict[bytes, ApiKey] = {}
        """By hash."""
        self._api_keys_by_name: dict[_Named, ApiKey] = {}

    @classmethod
    def of(cls, entities: Iterable[Entity]) -> Self:
        """The tables of a whole catalog."""
        made = cls()
        for entity in entities:
            made.put(entity)
        return made

    def apply(self, change: Change) -> None:
        """One change."""
        if change.entity is None:
            self.remove(change.identity)
        else:
            self.put(change.entity)

    def client(self, organization: str, key_manager: str, client_id: str) -> tuple[Application, ApplicationKey] | None:
        """The application that a client acts for, and its key there."""
        return self.clients.get((organization, key_manager), _NO_CLIENTS).get(client_id)

    def subscription(self, application: str, api: str) -> Subscription | None:
        """The subscription of an application to an API."""
        return self.subscriptions.get(application, _NO_SUBSCRIPTIONS).get(api)

    def tables(self) -> Iterator[dict[Any, Any]]:
        """All that may be large, for whoever takes replaced tables apart."""
        yield from (self.subscriptions, self.applications, self.api_keys, self._api_keys_by_name)
        yield from self.clients.values()
        yield from self.by_path.tables()
        yield self.apis

    def settle(self, identity: Identity) -> None:
        """Once more what an entity is found by.

        A client, an API key's hash or a base path may pass to another entity and back. Whoever hears of that in
        another order than it happened, as during a load, may have removed what stands again.
        """
        name = (identity.organization, identity.id)
        found: Entity | None = None
        match identity.kind:
            case Kind.APPLICATION:
                found = self.applications.get(name)
            case Kind.API_KEY:
                found = self._api_keys_by_name.get(name)
            case Kind.API:
                indexed = self.apis.get(identity.id)
                found = indexed.api if indexed else None
        if found is not None:
            self.put(found)

    def put(self, entity: Entity) -> None:
        """An entity from now on, in the place of the one with its identity."""
        match entity:
            case Subscription():
                self.subscriptions.setdefault(entity.application, {})[entity.api] = entity
            case Application():
                self._put_application(entity)
            case Api():
                self._put_api(entity)
            case ApiKey():
                self._remove_api_key((entity.organization, entity.id))
                self._api_keys_by_name[entity.organization, entity.id] = entity
                self.api_keys[entity.hash] = entity
            case KeyManager():
                self._put_key_manager(entity)
            case OpaqueTokens():
                self.opaque_tokens.rule(entity)
            case _:
                assert_never(entity)

    def remove(self, identity: Identity) -> None:
        """No such entity any more."""
        name = (identity.organization, identity.id)
        match identity.kind:
            case Kind.SUBSCRIPTION:
                self._remove_subscription(identity)
            case Kind.APPLICATION:
                self._remove_application(name)
            case Kind.API:
                self._remove_api(identity.id, identity.organization)
            case Kind.API_KEY:
                self._remove_api_key(name)
            case Kind.KEY_MANAGER:
                self._remove_key_manager(name)
            case Kind.OPAQUE_TOKENS:
                self.opaque_tokens.rule(OpaqueTokens())
            case _:
                assert_never(identity.kind)

    def _remove_subscription(self, identity: Identity) -> None:
        application, _, api = identity.id.partition(" ")
        own = self.subscriptions.get(application, {})
        # It may be another organization's by now, which was read before it was told that it is no longer this one's.
        if api in own and own[api].organization == identity.organization:
            del own[api]
        if not own:
            self.subscriptions.pop(application, None)

    def _put_api(self, api: Api) -> None:
        self._remove_api(api.id)
        self.apis[api.id] = indexed = IndexedApi(api, ResourceTree(api.resources), base_paths(api))
        self.by_path.put(indexed)

    def _remove_api(self, name: str, organization: str | None = None) -> None:
        indexed = self.apis.get(name)
        # As for subscriptions.
        if indexed is not None and organization in {None, indexed.api.organization}:
            del self.apis[name]
            self.by_path.remove(indexed)

    def _put_application(self, application: Application) -> None:
        name = (application.organization, application.id)
        self._remove_application(name)
        self.applications[name] = application
        for key in application.keys:
            own = self.clients.setdefault((application.organization, key.key_manager), {})
            own[key.client_id] = (application, key)

    def _remove_application(self, name: _Named) -> None:
        application = self.applications.pop(name, None)
        for key in application.keys if application else ():
            own = self.clients.get((name[0], key.key_manager), {})
            if own.get(key.client_id, (None,))[0] is application:
                del own[key.client_id]

    def _remove_api_key(self, name: _Named) -> None:
        api_key = self._api_keys_by_name.pop(name, None)
        if api_key is not None and self.api_keys.get(api_key.hash) is api_key:
            del self.api_keys[api_key.hash]

    def _put_key_manager(self, key_manager: KeyManager) -> None:
        name = (key_manager.organization, key_manager.id)
        self._remove_key_manager(name)
        if key_manager.enabled:
            self.key_managers[name] = key_manager
            self.issuers.put(key_manager)
            self.opaque_tokens.put(key_manager)

    def _remove_key_manager(self, name: _Named) -> None:
        key_manager = self.key_managers.pop(name, None)
        if key_manager is not None:
            self.issuers.remove(key_manager)
            self.opaque_tokens.remove(key_manager)
