"""What is known about the user of a token, beside what the token says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What a key manager's userinfo endpoint said about a user, and until when that is used."""

    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Under our names, as `KeyManager.claim_mapping` has them."""
    use_until: float
    """Seconds since the epoch."""


NO_USER = UserFacts(use_until=math.inf)
"""A caller who is not a user, or whose key manager is not asked about users."""
