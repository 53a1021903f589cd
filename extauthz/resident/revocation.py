"""The end of a token before its time (RFC 7009)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from extauthz.resident.access_token import AccessTokens
from extauthz.resident.client import Client
from extauthz.resident.client_authentication import METHODS
from extauthz.resident.token_store import IssuedToken


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib is untyped
    """Revokes tokens of both formats; Authlib's own endpoint for JWTs refuses them."""

    CLIENT_AUTH_METHODS = METHODS

    def __init__(self, tokens: AccessTokens) -> None:
        super().__init__()
        self._tokens = tokens

    def check_params(self, request: Any, _client: Client) -> None:
        """RFC 7009 §2.2: a hint that is not understood does not influence the answer."""
        if "token" not in request.form:
            raise InvalidRequestError(description="The token is missing.")

    def query_token(self, token: str, _token_type_hint: str | None) -> IssuedToken | None:
        """The token if there is anything to revoke."""
        return self._tokens.find_active(token)

    def revoke_token(self, token: IssuedToken, _request: Any) -> None:
        """Records the revocation before it is answered."""
        self._tokens.revoke(token)
