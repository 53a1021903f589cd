"""The authorization server: Authlib's, joined to our clients, tokens and HTTP."""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidRequestError,
    OAuth2Request,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from starlette.responses import JSONResponse, Response

from extauthz.resident.access_token import AccessTokens
from extauthz.resident.client import Client
from extauthz.resident.client_authentication import METHODS, authenticate_client
from extauthz.resident.form import FormRequest
from extauthz.resident.introspection import Introspection
from extauthz.resident.revocation import Revocation

# Authlib is untyped, so every subclass of one of its classes is `misc` to mypy.


class _Request(OAuth2Request):  # type: ignore[misc]
    """Authlib's view of a request. The URI is the public one: behind a proxy the local one would say http."""

    def __init__(self, issuer: str, request: FormRequest) -> None:
        super().__init__("POST", issuer, headers=request.headers)
        self.source = request
        self.payload = BasicOAuth2Payload(dict(request.form))

    @property
    def args(self) -> dict[str, str]:
        """Nothing is read from the query (RFC 6749 §2.3.1)."""
        return {}

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters."""
        return self.source.form


class _UnsupportedGrantType(UnsupportedGrantTypeError):  # type: ignore[misc]  # noqa: N818 - the word of RFC 6749
    """Does not repeat what the client sent, as Authlib's does."""

    def get_error_description(self) -> str:
        return "The grant type is not supported."


class _ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        # Not Authlib's own, which writes the token to the debug log.
        token = self.generate_token(scope=self.request.payload.scope, include_refresh_token=False)
        self.save_token(token)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class ResidentServer(AuthorizationServer):  # type: ignore[misc]
    """Answers form requests. Its methods are synchronous, as Authlib's are; they may raise `Unavailable`."""

    def __init__(self, *, issuer: str, clients: Mapping[str, Client], tokens: AccessTokens) -> None:
        super().__init__()
        self._issuer = issuer
        self._clients = clients
        self.register_token_generator(
            "default", BearerTokenGenerator(tokens.issue, expires_generator=tokens.lifetime_seconds)
        )
        self.register_grant(_ClientCredentials)
        self.register_endpoint(Introspection(tokens))
        self.register_endpoint(Revocation(tokens))

    def token(self, request: FormRequest) -> Response:
        """RFC 6749 §3.2."""
        response: Response = self.create_token_response(request)
        return response

    def introspect(self, request: FormRequest) -> Response:
        """RFC 7662 §2."""
        response: Response = self.create_endpoint_response(Introspection.ENDPOINT_NAME, request)
        return response

    def revoke(self, request: FormRequest) -> Response:
        """RFC 7009 §2."""
        response: Response = self.create_endpoint_response(Revocation.ENDPOINT_NAME, request)
        return response

    # What Authlib asks of the framework around it.

    def query_client(self, client_id: str) -> Client | None:
        """A registered client."""
        return self._clients.get(client_id)

    def authenticate_client(self, request: _Request, _methods: object, _endpoint: str = "token") -> Client:
        """Not Authlib's own, which answers an unknown client otherwise than a wrong secret."""
        client, request.auth_method = authenticate_client(request.source, self.query_client)
        return client

    def get_token_grant(self, request: _Request) -> Any:
        """RFC 6749 §5.2: a missing parameter is an invalid request."""
        if not request.payload.grant_type:
            raise InvalidRequestError(description="The grant type is missing.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError as exc:
            raise _UnsupportedGrantType(None) from exc

    def save_token(self, token: dict[str, Any], request: _Request) -> None:
        """Nothing is left to do: `AccessTokens.issue` records a token before it returns it."""

    def send_signal(self, name: str, *_args: object, **_facts: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: FormRequest) -> _Request:
        """Authlib's view of a request."""
        return _Request(self._issuer, request)

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Response:
        """The answer in JSON."""
        return JSONResponse(body, status, dict(headers))
