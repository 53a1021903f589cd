"""The credential that a request carries."""

import re

from extauthz.model.check import BearerToken, RequestContext, TokenScheme
from extauthz.model.errors import Denied, Reason

# RFC 6750 §2.1, b64token; RFC 9449 §7.1 has the same for DPoP.
_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class Credentials:
    """Finds the token of `Authorization: Bearer`, and of `Authorization: DPoP` where that scheme is accepted."""

    def __init__(self, *, max_token_bytes: int, dpop: bool) -> None:
        self._max_token_bytes = max_token_bytes
        self._schemes = {scheme.lower(): scheme for scheme in TokenScheme if dpop or scheme is not TokenScheme.DPOP}
        names = "|".join(self._schemes)
        # A scheme is a word of any case, then one space at least (RFC 9110 §11.4).
        self._first = re.compile(rf"({names})(?: +|$)", re.IGNORECASE)
        self._anywhere = re.compile(rf"(?:^|,)[ \t]*(?:{names})(?:[ \t,]|$)", re.IGNORECASE)

    def access_token(self, request: RequestContext) -> BearerToken:
        """The one token of a request.

        Several Authorization headers arrive joined by a comma (envoy-wire §1): taking one of them would let a client
        choose which one the upstream and we disagree about, so they are refused.

        Raises:
            Denied: missing_credentials, invalid_request (no token, two tokens, two schemes) or invalid_token.
        """
        header = request.headers.get("authorization", "").strip(" \t")
        scheme = self._first.match(header)
        if scheme is None:
            if self._anywhere.search(header):
                raise Denied(Reason.INVALID_REQUEST, "an access token beside another credential")
            # A credential of a scheme that is not accepted is no candidate (wso2-facts §1.8).
            raise Denied(Reason.MISSING_CREDENTIALS, "no access token" if header else "no Authorization header")
        value = header[scheme.end() :]
        self._ensure_one_token(value)
        return BearerToken(value=value, scheme=self._schemes[scheme[1].lower()])

    def _ensure_one_token(self, value: str) -> None:
        if not value or "," in value:
            raise Denied(Reason.INVALID_REQUEST, "no token, or several joined by a comma")
        if len(value) > self._max_token_bytes:
            raise Denied(Reason.INVALID_TOKEN, "longer than limits.token_bytes")
        if not _B64TOKEN.fullmatch(value):
            raise Denied(Reason.INVALID_TOKEN, "has characters that no token has")
