"""An issuer's JWK set, fetched when it is needed and kept fresh while it is used."""

import asyncio
import logging
import ssl
from dataclasses import dataclass

import aiohttp

from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.bounded_http import BoundedHttp, CallObserver, HttpLimits, unobserved
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.jwk_set import JwkSet, parse_jwks

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTimes:
    """When a JWK set is fetched, in seconds."""

    lifetime_seconds: float = 300.0
    """How long a fetched set is good without asking: the time after which a withdrawn key is no longer trusted."""
    ahead_seconds: float = 60.0
    """How long before its end a set in use is refreshed in the background."""
    cooldown_seconds: float = 30.0
    """The pause after any attempt before an unknown `kid` causes another one, and after a failed refresh."""
    unknown_seconds: float = 120.0
    """How long a `kid` that the issuer was asked for in vain causes no further question."""
    retry_seconds: float = 1.0
    """The pause after a failed attempt while there are no keys at all."""
    keep_seconds: float = 86_400.0
    """How long keys outlive an issuer that does not answer; a day covers an outage, not a withdrawn key."""

    def __post_init__(self) -> None:
        if not 0 < self.retry_seconds < self.lifetime_seconds <= self.keep_seconds:
            raise ValueError("retry_seconds < lifetime_seconds <= keep_seconds is required")
        if not 0 <= self.ahead_seconds < self.lifetime_seconds:
            raise ValueError("ahead_seconds must be less than lifetime_seconds")
        if self.cooldown_seconds <= 0:
            raise ValueError("cooldown_seconds must be positive")


MAX_CANDIDATES = 4
"""Keys that one token may be tried with: each costs a verification, and anybody may send tokens."""

MAX_UNKNOWN = 1000
"""Names that are remembered as unknown: anybody may make them up."""

DEFAULT_TIMES = RefreshTimes()
DEFAULT_LIMITS = HttpLimits(timeout_seconds=2.0, max_bytes=512 * 1024)


class JwksClient:
    """The verification keys at one `jwks_uri`.

    At most one fetch is under way; it belongs to the client, so a cancelled waiter does not stop it. Keys survive a
    failed fetch. Must be closed.
    """

    def __init__(  # noqa: PLR0913 - where, by what, when and for whom: none goes with another
        self,
        url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        times: RefreshTimes = DEFAULT_TIMES,
        limits: HttpLimits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        observe: CallObserver = unobserved,
    ) -> None:
        self._url = url
        self._http = BoundedHttp(session, component="jwks", limits=limits, tls=tls, observe=observe)
        self._clock = clock
        self._times = times
        self._fresh_seconds = times.lifetime_seconds - times.ahead_seconds
        """How old a fetched set may be before it is refreshed."""
        self._keys: JwkSet | None = None
        self._fetched_at = 0.0
        self._attempted_at: float | None = None
        self._failure: str | None = None
        """Why the last attempt failed; None when it did not."""
        self._unknown: dict[str | None, float] = {}
        """Until when a `kid` that was asked for in vain is not asked for again, the oldest first."""
        self._flight: asyncio.Task[None] | None = None
        self._closed = False

    def __repr__(self) -> str:
        count = None if self._keys is None else len(self._keys.keys)
        return f"<JwksClient keys={count} failed={self._failure is not None} fetching={self._flight is not None}>"

    async def keys(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The keys that may verify a token with this header, at least one; without a `kid`, those that fit `alg`.

        An issuer that names no `kid` publishes two such keys while it rotates, so each of a few has to be tried.

        Raises:
            Denied: INVALID_TOKEN: no such key, also after the refresh that the cooldown allowed; or too many.
            Unavailable: there are no keys, or the key is unknown and the issuer could not be asked.
        """
        matching = (await self._current()).matching(kid, alg)
        if not matching:
            matching = await self._matching_after_refresh(kid, alg)
        if not 0 < len(matching) <= MAX_CANDIDATES:
            raise Denied(Reason.INVALID_TOKEN, "too many keys fit" if matching else "unknown key")
        return matching

    def at_hand(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """What `keys` would say without waiting; empty: ask `keys`. Needs a running event loop."""
        self._refresh_ahead()
        usable = self._usable()
        matching = () if usable is None else usable.matching(kid, alg)
        return matching if len(matching) <= MAX_CANDIDATES else ()

    def is_trusted(self, thumbprint: str) -> bool:
        """Whether a key, by its RFC 7638 thumbprint, is in the current set; counts as use of the set.

        False also when the set is not loaded or too old to say: verify the token again. Needs a running event loop.
        """
        keys = self._keys
        age = self._clock() - self._fetched_at  # `_age`, written out: this is asked on every Check
        if keys is None or self._failure is not None or not 0 <= age < self._fresh_seconds:
            self._refresh_ahead()
            keys = self._usable()
        return keys is not None and thumbprint in keys.thumbprints

    async def close(self) -> None:
        """Stop the fetch that is under way, if any; nothing is fetched from now on."""
        self._closed = True
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})

    async def _current(self) -> JwkSet:
        self._refresh_ahead()
        if self._usable() is None:
            await self._refreshed(self._times.retry_seconds)
        return self._usable_or_raise()

    async def _matching_after_refresh(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        if self._clock() < self._unknown.get(kid, 0.0):
            return ()
        # The pause counts from every attempt, so that forged `kid`s cannot make us flood the issuer.
        asked = await self._refreshed(self._times.cooldown_seconds)
        matching = self._usable_or_raise().matching(kid, alg)
        if asked and not matching and self._failure is None:
            self._remember_unknown(kid)
        # The key may be a new one of an issuer that cannot be asked: that is no reason to call the token invalid.
        if not matching and self._failure is not None:
            raise self._unavailable()
        return matching

    def _usable(self) -> JwkSet | None:
        """The keys that may be trusted now: those in their lifetime, or older ones if the issuer was asked in vain."""
        limit = self._times.lifetime_seconds if self._failure is None else self._times.keep_seconds
        return self._keys if self._age() < limit else None

    def _usable_or_raise(self) -> JwkSet:
        keys = self._usable()
        if keys is None:
            raise self._unavailable()
        return keys

    def _unavailable(self) -> Unavailable:
        # A new one each time: an exception that is raised again gathers the traces of all its raisers.
        return Unavailable("jwks", self._failure or "not fetched")

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _refresh_ahead(self) -> None:
        """Begin a fetch in the background when the set nears its end, or when the clock went back behind it."""
        if self._keys is not None and not 0 <= self._age() < self._fresh_seconds:
            self._begin_unless_paused(0 if self._failure is None else self._times.cooldown_seconds)

    def _remember_unknown(self, kid: str | None) -> None:
        """A name that the issuer was asked for in vain; the regular refresh finds it if it comes to be one."""
        self._unknown[kid] = self._clock() + self._times.unknown_seconds
        while len(self._unknown) > MAX_UNKNOWN:
            del self._unknown[next(iter(self._unknown))]

    async def _refreshed(self, pause: float) -> bool:
        """Wait for a fetch: the one under way, or a new one unless the last attempt ended less than `pause` ago.

        Says whether there was one.
        """
        flight = self._begin_unless_paused(pause)
        if flight is None:
            return False
        # wait() leaves the flight alone when this waiter is cancelled, and does not raise when the flight is.
        await asyncio.wait({flight})
        if not flight.cancelled():
            flight.result()
        return True

    def _begin_unless_paused(self, pause: float) -> asyncio.Task[None] | None:
        if self._flight is None and not self._closed and not self._paused(pause):
            self._flight = asyncio.create_task(self._fetch(), name="jwks fetch")
            self._flight.add_done_callback(self._landed)
        return self._flight

    def _paused(self, pause: float) -> bool:
        # A clock that went back must not stretch the pause.
        return self._attempted_at is not None and 0 <= self._clock() - self._attempted_at < pause

    def _landed(self, _flight: asyncio.Task[None]) -> None:
        self._flight = None

    async def _fetch(self) -> None:
        try:
            self._keys = await self._download()
        except Unavailable as exc:
            self._failure = exc.detail
            _log.warning("JWK set not fetched, keys kept: %s (%s)", self._keys is not None, exc.detail)
        else:
            self._failure = None
            self._fetched_at = self._clock()
        finally:
            self._attempted_at = self._clock()

    async def _download(self) -> JwkSet:
        document = self._http.require_ok(self._url, await self._http.get(self._url))
        try:
            return parse_jwks(document)
        except ValueError as exc:
            raise self._http.unavailable(self._url, f"not a JWK set: {type(exc).__name__}") from exc
