"""Signed assertions about who calls, made once and used again while they hold."""

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

from extauthz.backend_jwt.claims import BackendJwtProfile, backend_claims, token_end
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.model.check import Access
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason

_RENEW_SHARE = 0.1
_MAX_RENEW_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assertion:
    jwt: str = field(repr=False)
    about: tuple[object, ...] = field(repr=False)
    issued_at: float
    use_until: float


class BackendJwtSigner:
    """Signs, and keeps at most `cache_entries` assertions, the least recently used leave first.

    An assertion is used again for the same token and API while everything that entered its claims is as it was.

    Raises:
        ValueError: a life of no seconds, or a negative number of entries.
    """

    def __init__(self, *, key: SigningKey, profile: BackendJwtProfile, clock: Clock, cache_entries: int) -> None:
        if profile.ttl_seconds <= 0:
            raise ValueError("backend JWT: the time to live must be above 0 seconds")
        if cache_entries < 0:
            raise ValueError(f"backend JWT: a cache cannot hold {cache_entries} entries")
        self._key = key
        self._profile = profile
        self._clock = clock
        self._cache_entries = cache_entries
        self._assertions: OrderedDict[tuple[bytes, str], _Assertion] = OrderedDict()

    def assertion(self, access: Access) -> str:
        """A JWT in compact form (RFC 7519 §3) that says what `backend_claims` says.

        Raises:
            Denied: the token's own claims cannot be written as JSON.
        """
        now = self._clock()
        name, about = (access.principal.token_key, access.api.id), _about(access)
        held = self._assertions.get(name)
        # A clock that was set back must not bring out an assertion of the future.
        if held is not None and held.issued_at <= now < held.use_until and held.about == about:
            self._assertions.move_to_end(name)
            return held.jwt
        made = self._made(access, about, now)
        self._hold(name, made)
        return made.jwt

    def _made(self, access: Access, about: tuple[object, ...], now: float) -> _Assertion:
        claims = backend_claims(access, self._profile, now)
        claims["jti"] = str(uuid.uuid4())
        try:
            jwt = self._key.sign(claims)
        except ValueError as exc:
            raise Denied(Reason.INVALID_TOKEN, "the token has claims that a backend JWT cannot hold") from exc
        return _Assertion(jwt=jwt, about=about, issued_at=now, use_until=self._use_until(access, now))

    def _use_until(self, access: Access, now: float) -> float:
        """A little before its end, so that the upstream never sees one that ends on the way.

        Unless the token ends as early: a new one would not live longer.
        """
        ttl = self._profile.ttl_seconds
        ends, token_ends = int(now) + ttl, token_end(access)
        return int(token_ends) if token_ends <= ends else ends - min(_MAX_RENEW_SECONDS, ttl * _RENEW_SHARE)

    def _hold(self, name: tuple[bytes, str], made: _Assertion) -> None:
        self._assertions[name] = made
        self._assertions.move_to_end(name)
        while len(self._assertions) > self._cache_entries:
            self._assertions.popitem(last=False)


def _about(access: Access) -> tuple[object, ...]:
    """What enters the claims. Compared by identity first, so that a hit costs next to nothing.

    Not the whole API: after a reload each of its resources would be compared on every hit.
    """
    api, principal, subscription = access.api, access.principal, access.subscription
    return (
        (api.name, api.version, api.context, api.organization),
        access.application,
        access.key_type,
        None if subscription is None else (subscription.id, subscription.policy, subscription.state),
        principal.facts,
        principal.key_manager.clock_skew_seconds,
        principal.key_manager.scopes_claim,
    )
