"""Applications and the OAuth clients that act for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from extauthz.model.key_manager import DEFAULT_ORGANIZATION


class KeyType(StrEnum):
    """What a client's tokens are for."""

    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"


EVERY_KEY_TYPE = frozenset(KeyType)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationKey:
    """An OAuth client at a key manager that belongs to an application."""

    client_id: str
    key_manager: str
    """Id of the key manager."""
    key_type: KeyType = KeyType.PRODUCTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A consumer of APIs. Unique by id."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    name: str
    owner: str = ""
    policy: str = "Unlimited"
    attributes: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[ApplicationKey, ...] = ()
