"""All entities of a catalog, as one value."""

from dataclasses import dataclass

from extauthz.model.api import Api
from extauthz.model.application import Application
from extauthz.model.key_manager import KeyManager
from extauthz.model.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogContents:
    """What a source of the catalog delivers: whole, and checked against itself."""

    key_managers: tuple[KeyManager, ...] = ()
    apis: tuple[Api, ...] = ()
    applications: tuple[Application, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
