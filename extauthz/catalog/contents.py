"""All entities of a catalog, as one value."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from extauthz.catalog.changes import Entity
from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogContents:
    """What a source of the catalog delivers: whole, and checked against itself."""

    key_managers: tuple[KeyManager, ...] = ()
    apis: tuple[Api, ...] = ()
    applications: tuple[Application, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    opaque_tokens: OpaqueTokens = field(default_factory=OpaqueTokens)

    def entities(self) -> Iterator[Entity]:
        """Every entity, each after those that it names."""
        yield from self.key_managers
        yield self.opaque_tokens
        yield from self.apis
        yield from self.applications
        yield from self.api_keys
        yield from self.subscriptions
