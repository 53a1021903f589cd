"""The credential that a request carries."""

import re
import string

from extauthz.authn.api_key_placement import presented_api_key
from extauthz.model.api_security import ApiSecurity
from extauthz.model.check import BearerToken, PresentedApiKey, RequestContext, TokenScheme
from extauthz.model.errors import Denied, Reason

# RFC 6750 §2.1, b64token: some of these, then any number of `=`; RFC 9449 §7.1 has the same for DPoP.
_CHARACTERS = (string.ascii_letters + string.digits + "-._~+/").encode("ascii")


class Credentials:
    """Finds the token or API key of a request.

    Tokens are in `Authorization: Bearer`, and in `Authorization: DPoP` where that scheme is accepted; keys are where
    the API looks for them.
    """

    def __init__(self, *, max_token_bytes: int, dpop: bool) -> None:
        self._max_token_bytes = max_token_bytes
        self._schemes = {scheme.lower(): scheme for scheme in TokenScheme if dpop or scheme is not TokenScheme.DPOP}
        names = "|".join(self._schemes)
        self._anywhere = re.compile(rf"(?:^|,)[ \t]*(?:{names})(?:[ \t,]|$)", re.IGNORECASE)

    def presented(self, request: RequestContext, security: ApiSecurity) -> BearerToken | PresentedApiKey | None:
        """The one credential of the kinds that an API accepts; None: there is none.

        A credential of another kind is no candidate (wso2-facts §1.8).

        Raises:
            Denied: invalid_request (two credentials, or half of one) or invalid_token.
        """
        token = self.access_token(request) if security.oauth2 else None
        if security.api_key is None:
            return token
        key = presented_api_key(request, security.api_key)
        if token is not None and key is not None:
            raise Denied(Reason.INVALID_REQUEST, "an access token and an API key")
        return token or key

    def access_token(self, request: RequestContext) -> BearerToken | None:
        """The one token of a request; None: its Authorization header is missing, or of another scheme.

        Several Authorization headers arrive joined by a comma (envoy-wire §1): taking one of them would let a client
        choose which one the upstream and we disagree about, so they are refused.

        Raises:
            Denied: invalid_request (no token, two tokens, two schemes) or invalid_token.
        """
        header = request.headers.get("authorization", "").strip(" \t")
        # A scheme is a word of any case, then one space at least (RFC 9110 §11.4).
        word, _, value = header.partition(" ")
        scheme = self._schemes.get(word.lower())
        if scheme is None:
            if self._anywhere.search(header):
                raise Denied(Reason.INVALID_REQUEST, "an access token beside another credential")
            return None
        value = value.lstrip(" ")
        if len(value) > self._max_token_bytes or not _is_b64token(value):
            raise self._refusal(value)
        return BearerToken(value, scheme)

    def _refusal(self, value: str) -> Denied:
        """Why a value is not one token."""
        if not value or "," in value:
            return Denied(Reason.INVALID_REQUEST, "no token, or several joined by a comma")
        if len(value) > self._max_token_bytes:
            return Denied(Reason.INVALID_TOKEN, "longer than limits.token_bytes")
        return Denied(Reason.INVALID_TOKEN, "has characters that no token has")


def _is_b64token(value: str) -> bool:
    # A third of what a regular expression takes for 800 characters.
    characters = value.rstrip("=")
    return characters.isascii() and characters != "" and not characters.encode("ascii").translate(None, _CHARACTERS)
