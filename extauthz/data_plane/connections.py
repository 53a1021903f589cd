"""The ways to the issuers: one pool of HTTP connections for all of them."""

from dataclasses import dataclass

import aiohttp

from extauthz.authn.issuers import Introspector, PublishedKeys
from extauthz.data_plane.secrets import Secrets
from extauthz.model.clock import Clock
from extauthz.model.key_manager import KeyManager
from extauthz.oauth2.client_authentication import BasicClientAuthentication
from extauthz.oauth2.introspection import IntrospectionClient
from extauthz.oauth2.jwks import JwksClient


def http_session() -> aiohttp.ClientSession:
    """The pool that all issuers share; without cookies, without proxies from the environment."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        connector=aiohttp.TCPConnector(limit=100, limit_per_host=50),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerConnections:
    """Opens the ways to an issuer (see `authn.issuers.Connections`)."""

    session: aiohttp.ClientSession
    secrets: Secrets
    clock: Clock

    def published_keys(self, jwks_uri: str) -> PublishedKeys:
        """See `Connections`."""
        return JwksClient(jwks_uri, self.session, self.clock)

    def introspector(self, key_manager: KeyManager) -> Introspector:
        """See `Connections`."""
        introspection = key_manager.introspection
        if introspection is None:
            raise ValueError("it has no introspection endpoint")
        basic = introspection.authentication
        password = self.secrets.for_endpoint(basic.password_secret, introspection.endpoint)
        return IntrospectionClient(
            introspection.endpoint,
            BasicClientAuthentication(username=basic.username, password=password),
            self.session,
            timeout_seconds=introspection.timeout_seconds,
        )
