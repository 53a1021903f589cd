"""Signed assertions about who calls, made once and used again while they hold."""

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

from extauthz.backend_jwt.claims import BackendJwtProfile, backend_claims, token_end
from extauthz.backend_jwt.signing_key import SigningKey
from extauthz.backend_jwt.sources import NOTHING_TOLD, ClaimSources, Told
from extauthz.cache.single_flight import SingleFlight
from extauthz.model.api import Resource
from extauthz.model.check import Access
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason

_RENEW_SHARE = 0.1
_MAX_RENEW_SECONDS = 30.0

_About = tuple[object, ...]
_Name = tuple[bytes, str, Resource | None]
"""Token, API, and the resource where it may matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assertion:
    jwt: str = field(repr=False)
    about: _About = field(repr=False)
    issued_at: float
    use_until: float


class BackendJwtSigner:
    """Signs, and keeps at most `cache_entries` assertions, the least recently used leave first. Must be closed.

    An assertion is used again for the same token and API while everything that entered its claims is as it was; where
    extensions add claims, for the same resource.

    Raises:
        ValueError: a life of no seconds, or a negative number of entries.
    """

    def __init__(
        self,
        *,
        key: SigningKey,
        profile: BackendJwtProfile,
        clock: Clock,
        cache_entries: int,
        sources: ClaimSources | None = None,
    ) -> None:
        """`sources` None: nobody is asked for more claims."""
        if profile.ttl_seconds <= 0:
            raise ValueError("backend JWT: the time to live must be above 0 seconds")
        if cache_entries < 0:
            raise ValueError(f"backend JWT: a cache cannot hold {cache_entries} entries")
        self._key = key
        self._profile = profile
        self._clock = clock
        self._cache_entries = cache_entries
        self._sources = sources
        self._by_resource = sources is not None and sources.see_resources
        self._assertions: OrderedDict[_Name, _Assertion] = OrderedDict()
        self._questions: SingleFlight[tuple[_About, Told]] = SingleFlight("backend_jwt")

    def held(self, access: Access) -> str | None:
        """An assertion that was made before and still holds, by a look into memory."""
        return self._held(access, self._about(access))

    async def assertion(self, access: Access) -> str:
        """A JWT in compact form (RFC 7519 §3) that says what `backend_claims` says.

        Raises:
            Denied: the token's own claims cannot be written as JSON, or a source of claims refuses.
            Unavailable: a source of claims does not answer.
        """
        about = self._about(access)
        held = self._held(access, about)
        if held is not None:
            return held
        told = NOTHING_TOLD if self._sources is None else self._sources.known(access.principal)
        if told is None:
            told = await self._asked(access, about)
            # Another request that has waited for the same answer may have made it.
            held = self._held(access, about)
        return held or self._new(access, about, told)

    async def close(self) -> None:
        """Ends the questions under way."""
        await self._questions.close()

    def _name(self, access: Access) -> _Name:
        return access.principal.token_key, access.api.id, access.resource if self._by_resource else None

    def _about(self, access: Access) -> _About:
        return (access.resource, *_about(access)) if self._by_resource else _about(access)

    def _held(self, access: Access, about: _About) -> str | None:
        name = self._name(access)
        held = self._assertions.get(name)
        # A clock that was set back must not bring out an assertion of the future.
        if held is None or not held.issued_at <= self._clock() < held.use_until or held.about != about:
            return None
        self._assertions.move_to_end(name)
        return held.jwt

    async def _asked(self, access: Access, about: _About) -> Told:
        """What the sources say; requests that come together ask once."""
        name = access.principal.token_key + access.api.id.encode()
        asked_about, told = await self._questions.join(name, lambda: self._ask(access, about))
        if asked_about != about:
            # The question under way was about the same token, and an application or API that was changed since.
            _, told = await self._ask(access, about)
        return told

    async def _ask(self, access: Access, about: _About) -> tuple[_About, Told]:
        return about, NOTHING_TOLD if self._sources is None else await self._sources.told(access)

    def _new(self, access: Access, about: _About, told: Told) -> str:
        now = self._clock()
        claims = backend_claims(access, self._profile, now, told)
        claims["jti"] = str(uuid.uuid4())
        try:
            jwt = self._key.sign(claims)
        except ValueError as exc:
            raise Denied(Reason.INVALID_TOKEN, "the token has claims that a backend JWT cannot hold") from exc
        use_until = min(self._use_until(access, now), told.use_until)
        self._hold(access, _Assertion(jwt=jwt, about=about, issued_at=now, use_until=use_until))
        return jwt

    def _use_until(self, access: Access, now: float) -> float:
        """A little before its end, so that the upstream never sees one that ends on the way.

        Unless the token ends as early: a new one would not live longer.
        """
        ttl = self._profile.ttl_seconds
        ends, token_ends = int(now) + ttl, token_end(access)
        return int(token_ends) if token_ends <= ends else ends - min(_MAX_RENEW_SECONDS, ttl * _RENEW_SHARE)

    def _hold(self, access: Access, made: _Assertion) -> None:
        name = self._name(access)
        self._assertions[name] = made
        self._assertions.move_to_end(name)
        while len(self._assertions) > self._cache_entries:
            self._assertions.popitem(last=False)


def _about(access: Access) -> _About:
    """What enters the claims. Compared by identity first, so that a hit costs next to nothing.

    Not the whole API: after a reload each of its resources would be compared on every hit. Of the key manager, what is
    not part of the name of its tokens. What sources say has its own end.
    """
    api, principal, subscription = access.api, access.principal, access.subscription
    return (
        (api.name, api.version, api.context, api.organization, api.backend_jwt_audience),
        access.application,
        access.key_type,
        None if subscription is None else (subscription.id, subscription.policy, subscription.state),
        principal.facts,
        principal.certificate,
        principal.key_manager and principal.key_manager.clock_skew_seconds,
        principal.key_manager and principal.key_manager.scopes_claim,
    )
