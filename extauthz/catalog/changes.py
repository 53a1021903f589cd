"""Changes of a catalog: which entity, and what it is from now on."""

from enum import StrEnum
from typing import NamedTuple, Self, assert_never

from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application
from extauthz.model.key_manager import KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription

Entity = KeyManager | Api | Application | Subscription | ApiKey | OpaqueTokens


class Kind(StrEnum):
    """The kinds of entities."""

    KEY_MANAGER = "key_manager"
    OPAQUE_TOKENS = "opaque_tokens"
    API = "api"
    APPLICATION = "application"
    API_KEY = "api_key"
    SUBSCRIPTION = "subscription"


class Identity(NamedTuple):
    """What makes an entity the same one after a change."""

    kind: Kind
    organization: str
    """Empty for what belongs to none."""
    id: str
    """Of a subscription, `application api`: two names that have no space, and say what it is about."""

    @property
    def name(self) -> str:
        """Among those of its kind; no organization has a slash in its name."""
        return f"{self.organization}/{self.id}"

    @classmethod
    def named(cls, kind: Kind, name: str) -> Self:
        """The one with this name."""
        organization, _, identifier = name.partition("/")
        return cls(kind, organization, identifier)


class Change(NamedTuple):
    """An entity from now on, whole; or that there is none any more."""

    identity: Identity
    entity: Entity | None


def identity_of(entity: Entity) -> Identity:
    """The identity of an entity."""
    match entity:
        case KeyManager():
            return Identity(kind=Kind.KEY_MANAGER, organization=entity.organization, id=entity.id)
        case Api():
            return Identity(kind=Kind.API, organization=entity.organization, id=entity.id)
        case Application():
            return Identity(kind=Kind.APPLICATION, organization=entity.organization, id=entity.id)
        case ApiKey():
            return Identity(kind=Kind.API_KEY, organization=entity.organization, id=entity.id)
        case Subscription():
            pair = f"{entity.application} {entity.api}"
            return Identity(kind=Kind.SUBSCRIPTION, organization=entity.organization, id=pair)
        case OpaqueTokens():
            return Identity(kind=Kind.OPAQUE_TOKENS, organization="", id="opaque_tokens")
        case _:
            assert_never(entity)
