"""What an authorizer is, and which ones every Check passes."""

from typing import Protocol

from extauthz.authz.audiences import audience_allowed
from extauthz.authz.key_managers import key_manager_allowed
from extauthz.authz.key_types import key_type_allowed
from extauthz.authz.scopes import scope_granted
from extauthz.authz.subscription import subscription_allows
from extauthz.model.check import Access


class Authorizer(Protocol):
    """One question about an access: a pure function, asked anew on every Check."""

    def __call__(self, access: Access, /) -> None:
        """Returns if the access may be.

        Raises:
            Denied: it may not be.
        """
        ...


AUTHORIZERS: tuple[Authorizer, ...] = (
    key_manager_allowed,
    audience_allowed,
    subscription_allows,
    key_type_allowed,
    scope_granted,
)
"""In the order in which a refusal is most useful to the caller; each of them must pass."""
