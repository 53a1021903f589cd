"""All entities of a catalog, as one value."""

from dataclasses import dataclass

from extauthz.model.api import Api
from extauthz.model.application import Application
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokenRule
from extauthz.model.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogContents:
    """What a source of the catalog delivers: whole, and checked against itself."""

    key_managers: tuple[KeyManager, ...] = ()
    apis: tuple[Api, ...] = ()
    applications: tuple[Application, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    opaque_token_rules: tuple[OpaqueTokenRule, ...] = ()
    """In this order; the first that fits and whose key manager the API accepts decides."""
    opaque_token_try_next: int = 0
    """How many further key managers may see a token that the first calls inactive."""
