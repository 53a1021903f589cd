"""The ways to the issuers: one pool of HTTP connections for all of them, each with its own trust and limits."""

from dataclasses import dataclass

import aiohttp

from extauthz.authn.issuers import Introspector, PublishedKeys
from extauthz.data_plane.endpoint_authentication import EndpointAuthentications, client_certificate
from extauthz.data_plane.secrets import Secrets
from extauthz.model.clock import Clock
from extauthz.model.key_manager import Introspection, KeyManager
from extauthz.oauth2 import discovery, introspection, token_client
from extauthz.oauth2.bounded_http import BoundedHttp, HttpLimits
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.introspection import Answers, IntrospectionClient, PlainAnswers
from extauthz.oauth2.jwe import JweDecrypter
from extauthz.oauth2.jwks import JwksClient
from extauthz.oauth2.signed_introspection import KeyLookup, SignedAnswers
from extauthz.oauth2.tls import client_tls

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


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerConnections:
    """Opens the ways to an issuer (see `authn.issuers.Connections`)."""

    session: aiohttp.ClientSession
    secrets: Secrets
    clock: Clock

    async def published_keys(self, key_manager: KeyManager) -> PublishedKeys | None:
        """See `Connections`."""
        jwt = key_manager.jwt
        if jwt is None or not (jwt.jwks_uri or jwt.discovery):
            return None
        tls = client_tls(jwt.ca_file)
        http = BoundedHttp(self.session, component="discovery", limits=_DISCOVERY_LIMITS, tls=tls)
        jwks_uri = jwt.jwks_uri or await discovery.discovered_jwks_uri(key_manager.issuer, http)
        return JwksClient(jwks_uri, self.session, self.clock, tls=tls)

    def introspector(self, key_manager: KeyManager, keys: KeyLookup) -> Introspector | None:
        """See `Connections`."""
        settings = key_manager.introspection
        if settings is None:
            return None
        tls = client_tls(settings.ca_file, client_certificate(settings.authentication, self.secrets))
        authentications = EndpointAuthentications(
            issuer=key_manager.issuer,
            endpoint=settings.endpoint,
            token_http=BoundedHttp(
                self.session,
                component=token_client.COMPONENT,
                limits=_limits(settings, token_client.MAX_ANSWER_BYTES),
                tls=tls,
            ),
            secrets=self.secrets,
            clock=self.clock,
        )
        limits = _limits(settings, introspection.MAX_ANSWER_BYTES)
        return IntrospectionClient(
            settings.endpoint,
            authentications.of(settings.authentication),
            BoundedHttp(self.session, component="introspection", limits=limits, tls=tls),
            self._breaker(settings),
            timeout_seconds=settings.timeout_seconds,
            max_concurrent=settings.max_concurrent,
            answers=self._answers(key_manager, settings, keys),
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

    def _breaker(self, settings: Introspection) -> CircuitBreaker:
        breaker = settings.circuit_breaker
        return CircuitBreaker(
            "introspection", failures=breaker.failures, open_seconds=breaker.open_seconds, clock=self.clock
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


def _limits(settings: Introspection, max_bytes: int) -> HttpLimits:
    return HttpLimits(
        timeout_seconds=settings.timeout_seconds, connect_seconds=settings.connect_timeout_seconds, max_bytes=max_bytes
    )
