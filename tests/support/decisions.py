"""What tests ask of a decision, and the claims of a token that may read pets."""

from typing import Any

from extauthz.model.check import Allow, Decision, Deny
from extauthz.model.errors import Reason

GOOD: dict[str, Any] = {"client_id": "client", "azp": "client", "scope": "read"}
"""Of the application and the scope in `support.catalogs`, as a JWT and as an introspection answer say it."""


def allowed(decision: Decision) -> Allow:
    """The decision, which lets the request through."""
    assert isinstance(decision, Allow), decision
    return decision


def refused(decision: Decision, reason: Reason = Reason.INVALID_TOKEN) -> Deny:
    """The decision, which refuses the request for this reason."""
    assert isinstance(decision, Deny), decision
    assert decision.reason is reason, decision
    return decision
