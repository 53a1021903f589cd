"""Introspection clients as the data plane makes them, with limits that no slow machine reaches."""

import ssl
from typing import Any

import aiohttp
from support.authorization_server import AuthorizationServer

from extauthz.oauth2.bounded_http import BoundedHttp, HttpLimits
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.client_authentication import ClientAuthentication
from extauthz.oauth2.introspection import IntrospectionClient

PATIENT_SECONDS = 60.0


def bounded_http(
    session: aiohttp.ClientSession, component: str, *, tls: ssl.SSLContext | None = None, **limits: Any
) -> BoundedHttp:
    """Requests with the limits of a test."""
    defaults: dict[str, Any] = {"timeout_seconds": PATIENT_SECONDS, "max_bytes": 256 * 1024}
    return BoundedHttp(session, component=component, limits=HttpLimits(**defaults | limits), tls=tls)


def introspection_client(
    server: AuthorizationServer,
    session: aiohttp.ClientSession,
    authentication: ClientAuthentication,
    *,
    tls: ssl.SSLContext | None = None,
    breaker: CircuitBreaker | None = None,
    timeout_seconds: float = PATIENT_SECONDS,
    **settings: Any,
) -> IntrospectionClient:
    """A client of a simulated endpoint; the breaker never opens unless a test brings another."""
    return IntrospectionClient(
        server.introspection_endpoint,
        authentication,
        bounded_http(session, "introspection", tls=tls, timeout_seconds=timeout_seconds),
        breaker or CircuitBreaker("introspection", failures=1000, open_seconds=1, clock=_never),
        timeout_seconds=timeout_seconds,
        **settings,
    )


def _never() -> float:
    return 0.0
