"""Which key manager an opaque token belongs to."""

import re
from dataclasses import dataclass

from extauthz.model.key_manager import DEFAULT_ORGANIZATION


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueTokenRule:
    """A sign by which opaque tokens of a key manager are known. Exactly one sign is set."""

    key_manager: str
    organization: str = DEFAULT_ORGANIZATION
    prefix: str | None = None
    pattern: re.Pattern[str] | None = None
    """Must match the whole token."""
    header: tuple[str, str] | None = None
    """Name in lower case, and value: the client's hint, which chooses only among those that the API accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueTokens:
    """What a catalog says about opaque tokens: one value for all organizations."""

    rules: tuple[OpaqueTokenRule, ...] = ()
    """In this order; the first that fits and whose key manager the API accepts decides."""
    try_next: int = 0
    """How many further key managers may see a token that the first calls inactive."""
