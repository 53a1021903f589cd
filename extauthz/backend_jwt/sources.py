"""Where claims come from that are neither the token's nor ours: the user's key manager, and extensions."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from extauthz.model.check import Access, Principal
from extauthz.model.user import UserFacts

ClaimSource = Callable[[Access], Awaitable[Mapping[str, Any]]]
"""An extension's word on an access: claims by name, as JSON has them. What it raises refuses the request."""


class Users(Protocol):
    """Knows what key managers say about users (`extauthz.authn.users`)."""

    def known(self, principal: Principal) -> UserFacts | None:
        """What is known without asking; None: `of` would have to ask."""
        ...

    async def of(self, principal: Principal) -> UserFacts:
        """What is known now.

        Raises:
            Denied: the key manager refuses the token, or speaks of another user.
            Unavailable: it does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sources said about an access."""

    user: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extensions: Mapping[str, Any] = field(default_factory=dict, repr=False)
    use_until: float = math.inf
    """Seconds since the epoch."""


NOTHING_TOLD = Told()


class ClaimSources:
    """Asks the sources, extensions in their order: of two that say one claim, the later is right."""

    def __init__(self, *, users: Users, extensions: Sequence[ClaimSource] = ()) -> None:
        self._users = users
        self._extensions = tuple(extensions)

    @property
    def see_resources(self) -> bool:
        """Whether what they say may be about the resource: extensions are shown it."""
        return bool(self._extensions)

    def known(self, principal: Principal) -> Told | None:
        """All that there is to say, if nobody must be asked; None: `told` would have to ask."""
        user = None if self._extensions else self._users.known(principal)
        return None if user is None else Told(user=user.claims, use_until=user.use_until)

    async def told(self, access: Access) -> Told:
        """What the sources say now.

        Raises:
            Denied: one of them refuses.
            Unavailable: one of them does not answer.
        """
        user = await self._users.of(access.principal)
        claims: dict[str, Any] = {}
        for source in self._extensions:
            claims.update(await source(access))
        return Told(user=user.claims, extensions=claims, use_until=user.use_until)
