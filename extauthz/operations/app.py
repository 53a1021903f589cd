"""HTTP for operators and upstreams: health, readiness, the keys of the backend JWT."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from extauthz.operations.cacheable_json import cacheable_json
from extauthz.telemetry.health import Health

JwkSetDocument = Callable[[], Mapping[str, Any]]
"""The public keys now, as RFC 7517 §5 writes them."""

_DEFAULT_JWKS_MAX_AGE_SECONDS = 300


def operations_app(
    *,
    health: Health,
    jwks: JwkSetDocument | None = None,
    jwks_max_age_seconds: int = _DEFAULT_JWKS_MAX_AGE_SECONDS,
    more: Sequence[Route] = (),
) -> Starlette:
    """The ASGI application behind the operations port.

    `jwks` is None where no backend JWT is signed; upstreams may keep the keys for `jwks_max_age_seconds`. `more`
    routes ask for credentials themselves.
    """
    endpoints = _Endpoints(health, jwks, jwks_max_age_seconds)
    return Starlette(
        routes=[
            Route("/healthz", endpoints.healthz),
            Route("/readyz", endpoints.readyz),
            Route("/jwks", endpoints.key_set),
            *more,
        ]
    )


class _Endpoints:
    def __init__(self, health: Health, jwks: JwkSetDocument | None, jwks_max_age_seconds: int) -> None:
        self._health = health
        self._jwks = jwks
        self._jwks_max_age_seconds = jwks_max_age_seconds

    async def healthz(self, _request: Request) -> Response:
        # A failed dependency is no reason to kill the process, so this says 200 for as long as it can say anything.
        return self._report(HTTPStatus.OK)

    async def readyz(self, _request: Request) -> Response:
        return self._report(HTTPStatus.OK if self._health.ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def key_set(self, request: Request) -> Response:
        if self._jwks is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return cacheable_json(
            request,
            self._jwks(),
            media_type="application/jwk-set+json",  # RFC 7517 §8.5.2
            max_age_seconds=self._jwks_max_age_seconds,
        )

    def _report(self, status: HTTPStatus) -> Response:
        components = {name: asdict(component) for name, component in sorted(self._health.components.items())}
        content = {"ready": self._health.ready, "draining": self._health.draining, "components": components}
        return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})
