"""The credential that a request carries."""

import re

from extauthz.model.check import BearerToken, RequestContext
from extauthz.model.errors import Denied, Reason

# RFC 6750 §2.1, b64token. A scheme is a word of any case, then one space at least (RFC 9110 §11.4).
_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_BEARER = re.compile(r"bearer(?: +|$)", re.IGNORECASE)
_BEARER_ANYWHERE = re.compile(r"(?:^|,)[ \t]*bearer(?:[ \t,]|$)", re.IGNORECASE)


def bearer_token(request: RequestContext, max_bytes: int) -> BearerToken:
    """The token of `Authorization: Bearer`.

    Several Authorization headers arrive joined by a comma (envoy-wire §1): taking one of them would let a client
    choose which one the upstream and we disagree about, so they are refused.

    Raises:
        Denied: missing_credentials, invalid_request (no token, two tokens, two schemes) or invalid_token.
    """
    header = request.headers.get("authorization", "").strip(" \t")
    scheme = _BEARER.match(header)
    if scheme is None:
        if _BEARER_ANYWHERE.search(header):
            raise Denied(Reason.INVALID_REQUEST, "a bearer token beside another credential")
        # A credential of a scheme that is not accepted is no candidate (wso2-facts §1.8).
        raise Denied(Reason.MISSING_CREDENTIALS, "no bearer token" if header else "no Authorization header")
    value = header[scheme.end() :]
    if not value or "," in value:
        raise Denied(Reason.INVALID_REQUEST, "no token, or several joined by a comma")
    if len(value) > max_bytes:
        raise Denied(Reason.INVALID_TOKEN, "longer than limits.token_bytes")
    if not _B64TOKEN.fullmatch(value):
        raise Denied(Reason.INVALID_TOKEN, "has characters that no token has")
    return BearerToken(value=value)
