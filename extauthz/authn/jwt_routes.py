"""Where JWTs say that they come from: remembered, so that a known one need not be read again to be routed."""

from functools import lru_cache

from msgspec import Struct

from extauthz.cache.keys import NamedToken
from extauthz.cache.recent import Recent
from extauthz.oauth2.jwt import UnverifiedJwt

_SHARED = 4096


class JwtRoute(Struct, frozen=True):
    """What routes a signed JWT to a key manager. As it says of itself: whoever checks it then checks this as well."""

    issuer: str
    audiences: frozenset[str]


class JwtRoutes(Recent[JwtRoute]):
    """The routes of JWTs by their names (`CacheKeys.named`); the least recently used leave first.

    A route follows from the bytes of its token alone, which nobody can change under one name: so it is never out of
    date, and to remember it decides nothing that reading the token again would decide differently. Reading one takes
    some ten times as long.
    """

    __slots__ = ()

    def remember(self, token: NamedToken, jwt: UnverifiedJwt) -> None:
        """Keep the route of a signed token. For those that were found good only: garbage must not push them out."""
        if jwt.issuer and not jwt.encrypted:
            self.put(token.name, _shared(JwtRoute(jwt.issuer, jwt.audiences)))


@lru_cache(maxsize=_SHARED)
def _shared(route: JwtRoute) -> JwtRoute:
    """One object for all tokens that are routed alike, which are many."""
    return route
