"""The HTTP face of the key manager."""

from typing import Annotated

import structlog
from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import JSONResponse, Response

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.resident import metadata
from extauthz.resident.access_log import AccessLog
from extauthz.resident.access_token import AccessTokens
from extauthz.resident.authorization_server import ResidentServer
from extauthz.resident.cleaning import lifespan
from extauthz.resident.client import Client
from extauthz.resident.configuration import Configuration
from extauthz.resident.database import open_engine
from extauthz.resident.form import FormRequest, read_form
from extauthz.resident.key_file import generated_key
from extauthz.resident.signing_key import SigningKey
from extauthz.resident.token_store import TokenStore

_PUBLIC = {"Cache-Control": "public, max-age=300"}
"""Short enough that a new key is known soon."""

Form = Annotated[FormRequest, Depends(read_form)]

logger = structlog.get_logger(__name__)


def create_app(configuration: Configuration, clock: Clock) -> FastAPI:
    """The application; it opens the database here, and closes it at the end of its lifespan.

    Raises:
        Unavailable: the database cannot be opened, or the signing key not be kept.
    """
    signing_key = configuration.signing_key or generated_key(configuration.database)
    store = _open_store(configuration.database)
    clients = {client.client_id: client for client in configuration.clients}
    tokens = AccessTokens(
        issuer=configuration.issuer,
        audience=configuration.audience,
        default_lifetime_seconds=configuration.access_token_lifetime_seconds,
        signing_key=signing_key,
        clients=clients,
        store=store,
        clock=clock,
    )
    server = ResidentServer(issuer=configuration.issuer, clients=clients, tokens=tokens)
    app = FastAPI(lifespan=lifespan(store, clock), openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(AccessLog)
    app.add_exception_handler(OAuth2Error, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.include_router(_endpoints(server), prefix=metadata.base_path(configuration.issuer))
    app.include_router(_documents(configuration.issuer, clients, signing_key))
    app.include_router(_health(store))
    return app


def _open_store(database: str) -> TokenStore:
    store = TokenStore(open_engine(database))
    try:
        store.create_tables()
    except Unavailable:
        store.close()
        raise
    return store


def _endpoints(server: ResidentServer) -> APIRouter:
    router = APIRouter()

    # Plain functions: the framework runs them in threads, since Authlib and the database session block.

    @router.post(metadata.TOKEN_PATH)
    def token(form: Form) -> Response:
        return server.token(form)

    @router.post(metadata.INTROSPECTION_PATH)
    def introspect(form: Form) -> Response:
        return server.introspect(form)

    @router.post(metadata.REVOCATION_PATH)
    def revoke(form: Form) -> Response:
        return server.revoke(form)

    return router


def _documents(issuer: str, clients: dict[str, Client], signing_key: SigningKey) -> APIRouter:
    router = APIRouter()
    jwk_set = {"keys": [signing_key.public_jwk]}
    description = metadata.metadata(issuer, clients.values())

    @router.get(metadata.base_path(issuer) + metadata.JWKS_PATH)
    async def jwks() -> Response:
        return JSONResponse(jwk_set, headers=_PUBLIC)

    @router.get(metadata.metadata_path(issuer))
    async def oauth_authorization_server() -> Response:
        return JSONResponse(description, headers=_PUBLIC)

    return router


def _health(store: TokenStore) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        store.ping()
        return {"status": "ok"}

    return router


async def _refused(_request: Request, error: Exception) -> Response:
    status, body, headers = error()  # type: ignore[operator] # Authlib's errors are made into answers by a call
    return JSONResponse(body, status, dict(headers))


async def _unavailable(_request: Request, error: Exception) -> Response:
    if isinstance(error, Unavailable):
        logger.error("unavailable", component=error.component, detail=error.detail)
    headers = {"Cache-Control": "no-store", "Retry-After": "1"}
    return JSONResponse({"error": "temporarily_unavailable"}, 503, headers)
