"""What an extension is: one of three kinds, made by the factory that its entry point names.

It is made at start, and anew whenever the settings are read again. A factory is called with the `options` of the
settings and returns an instance; a `ValueError` of it ends the start with its message. An instance serves many requests
at a time. One that has `async def close(self)` is closed at the end.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from extauthz.model.api import Api
from extauthz.model.check import Access, Principal, RequestContext


class Authenticator(Protocol):
    """Knows one more kind of credential; asked before our own. Group `extauthz.authenticators`."""

    async def authenticate(self, request: RequestContext, api: Api) -> Principal | None:
        """Who calls (see `known_caller`), or None if the request carries no credential of this kind.

        Raises:
            Denied: it carries one, which is refused.
            Unavailable: it carries one, and whoever knows about it does not answer.
        """
        ...


class Authorizer(Protocol):
    """One more question about an access; asked after our own have all passed. Group `extauthz.authorizers`."""

    async def authorize(self, request: RequestContext, access: Access) -> None:
        """Returns None if the access may be. It cannot let in what another authorizer refuses.

        Raises:
            Denied: it may not be.
            Unavailable: whoever knows does not answer.
        """
        ...


class ClaimSource(Protocol):
    """Knows more about a caller; asked for claims of the backend JWT. Group `extauthz.claim_sources`."""

    async def claims(self, access: Access) -> Mapping[str, Any]:
        """Claims by name, with values that JSON has; empty where there is nothing to say.

        Raises:
            Denied: the request must not go on.
            Unavailable: whoever knows does not answer.
        """
        ...
