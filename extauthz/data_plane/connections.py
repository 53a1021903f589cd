"""The ways to the issuers: one pool of HTTP connections for all of them, each with its own trust and limits."""

import ssl
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import aiohttp

from extauthz.authn.issuers import Introspector, PublishedKeys, Userinfo
from extauthz.data_plane.endpoint_authentication import EndpointAuthentications, client_certificate
from extauthz.data_plane.secrets import Secrets
from extauthz.model.clock import Clock
from extauthz.model.key_manager import CircuitBreaker as BreakerSettings
from extauthz.model.key_manager import Introspection, KeyManager
from extauthz.model.key_manager import Userinfo as UserinfoSettings
from extauthz.oauth2 import discovery, introspection, token_client, userinfo
from extauthz.oauth2.bounded_http import BoundedHttp, CallObserver, HttpLimits
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.introspection import Answers, IntrospectionClient, PlainAnswers
from extauthz.oauth2.jwe import JweDecrypter
from extauthz.oauth2.jwks import JwksClient
from extauthz.oauth2.signed_introspection import KeyLookup, SignedAnswers
from extauthz.oauth2.tls import ClientCertificate, client_tls

_DISCOVERY_LIMITS = HttpLimits(timeout_seconds=5.0, max_bytes=discovery.MAX_METADATA_BYTES)
"""Longer than a Check may take: it happens once, and nobody waits for it but a new catalog."""


def http_session() -> aiohttp.ClientSession:
    """The pool that all issuers share; without cookies, without proxies from the environment.

    It has no bound of its own: each key manager has its `max_concurrent`, and one issuer that hangs must not use up the
    connections of the others. Connections with different TLS settings are kept apart (by `BoundedHttp`).
    """
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, connector=aiohttp.TCPConnector(limit=0)
    )


class Calls(Protocol):
    """Told of each call to a key manager when it is over."""

    def __call__(self, kind: str, key_manager: str, outcome: str, seconds: float, /) -> None:
        """It was for `kind` and took `seconds`; for `outcome` see `CallObserver`."""
        ...


def uncounted(_kind: str, _key_manager: str, _outcome: str, _seconds: float, /) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerConnections:
    """Opens the ways to an issuer (see `authn.issuers.Connections`)."""

    session: aiohttp.ClientSession
    secrets: Secrets
    clock: Clock
    folder: Path = Path()
    """What relative names of files in key managers are relative to."""
    calls: Calls = uncounted

    async def published_keys(self, key_manager: KeyManager) -> PublishedKeys | None:
        """See `Connections`."""
        jwt = key_manager.jwt
        if jwt is None or not (jwt.jwks_uri or jwt.discovery):
            return None
        tls = self._tls(jwt.ca_file)
        observe = self._observer("discovery", key_manager)
        http = BoundedHttp(self.session, component="discovery", limits=_DISCOVERY_LIMITS, tls=tls, observe=observe)
        jwks_uri = jwt.jwks_uri or await discovery.discovered_jwks_uri(key_manager.issuer, http)
        return JwksClient(jwks_uri, self.session, self.clock, tls=tls, observe=self._observer("jwks", key_manager))

    def introspector(self, key_manager: KeyManager, keys: KeyLookup) -> Introspector | None:
        """See `Connections`."""
        settings = key_manager.introspection
        if settings is None:
            return None
        tls = self._tls(settings.ca_file, client_certificate(settings.authentication, self.secrets, self.folder))
        authentications = EndpointAuthentications(
            issuer=key_manager.issuer,
            endpoint=settings.endpoint,
            token_http=BoundedHttp(
                self.session,
                component=token_client.COMPONENT,
                limits=_limits(settings, token_client.MAX_ANSWER_BYTES),
                tls=tls,
                observe=self._observer(token_client.COMPONENT, key_manager),
            ),
            secrets=self.secrets,
            clock=self.clock,
        )
        limits = _limits(settings, introspection.MAX_ANSWER_BYTES)
        observe = self._observer("introspection", key_manager)
        return IntrospectionClient(
            settings.endpoint,
            authentications.of(settings.authentication),
            BoundedHttp(self.session, component="introspection", limits=limits, tls=tls, observe=observe),
            self._breaker("introspection", settings.circuit_breaker),
            timeout_seconds=settings.timeout_seconds,
            max_concurrent=settings.max_concurrent,
            answers=self._answers(key_manager, settings, keys),
        )

    def userinfo(self, key_manager: KeyManager) -> Userinfo | None:
        """See `Connections`."""
        settings = key_manager.userinfo
        if settings is None:
            return None
        limits = _limits(settings, userinfo.MAX_ANSWER_BYTES)
        return userinfo.UserinfoClient(
            settings.endpoint,
            BoundedHttp(
                self.session,
                component=userinfo.COMPONENT,
                limits=limits,
                tls=self._tls(settings.ca_file),
                observe=self._observer(userinfo.COMPONENT, key_manager),
            ),
            self._breaker(userinfo.COMPONENT, settings.circuit_breaker),
            timeout_seconds=settings.timeout_seconds,
            max_concurrent=settings.max_concurrent,
        )

    def decryption(self, key_manager: KeyManager) -> JweDecrypter | None:
        """See `Connections`."""
        settings = key_manager.jwt.decryption if key_manager.jwt else None
        if settings is None:
            return None
        return JweDecrypter(
            {name: self.secrets.value(name) for name in settings.key_secrets},
            algorithms=settings.algorithms,
            encryptions=settings.encryptions,
        )

    def _observer(self, kind: str, key_manager: KeyManager) -> CallObserver:
        return partial(self.calls, kind, key_manager.id)

    def _tls(self, ca_file: str | None, certificate: ClientCertificate | None = None) -> ssl.SSLContext | None:
        return client_tls(None if ca_file is None else str(self.folder / ca_file), certificate)

    def _breaker(self, component: str, settings: BreakerSettings) -> CircuitBreaker:
        return CircuitBreaker(
            component, failures=settings.failures, open_seconds=settings.open_seconds, clock=self.clock
        )

    def _answers(self, key_manager: KeyManager, settings: Introspection, keys: KeyLookup) -> Answers:
        signed = settings.signed_answer
        if signed is None:
            return PlainAnswers()
        return SignedAnswers(
            issuer=key_manager.issuer,
            audience=signed.audience,
            algorithms=signed.algorithms,
            required=signed.required,
            keys=keys,
            clock=self.clock,
        )


def _limits(settings: Introspection | UserinfoSettings, max_bytes: int) -> HttpLimits:
    return HttpLimits(
        timeout_seconds=settings.timeout_seconds, connect_seconds=settings.connect_timeout_seconds, max_bytes=max_bytes
    )
