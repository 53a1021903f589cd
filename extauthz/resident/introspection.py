"""What the server says about a token (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from extauthz.resident.access_token import AccessTokens
from extauthz.resident.client import Client
from extauthz.resident.client_authentication import METHODS
from extauthz.resident.token_store import IssuedToken


class Introspection(IntrospectionEndpoint):  # type: ignore[misc] # Authlib is untyped
    """One lookup for both token formats: the answer for a JWT knows of its revocation too."""

    CLIENT_AUTH_METHODS = METHODS

    def __init__(self, tokens: AccessTokens) -> None:
        super().__init__()
        self._tokens = tokens

    def check_params(self, request: Any, _client: Client) -> None:
        """RFC 7662 §2.1: the hint may be ignored, and is."""
        if "token" not in request.form:
            raise InvalidRequestError(description="The token is missing.")

    def query_token(self, token: str, _token_type_hint: str | None) -> IssuedToken | None:
        """The token if it is active."""
        return self._tokens.find_active(token)

    def check_permission(self, token: IssuedToken, client: Client, _request: Any) -> bool:
        """A client may ask about its own tokens, a resource server about all (RFC 7662 §4)."""
        return client.may_introspect or token.check_client(client)

    def create_introspection_payload(self, token: IssuedToken | None) -> dict[str, Any]:
        """RFC 7662 §2.2: whatever the cause, an inactive token is answered in one way."""
        if token is None:
            return {"active": False}
        return {**token.claims, "active": True, "token_type": "Bearer"}
