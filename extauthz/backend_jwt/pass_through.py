"""A backend JWT that the issuer put into the token, passed on if it has the form of one."""

import re
from collections.abc import Mapping
from typing import Any

from extauthz.model.errors import Denied, Reason
from extauthz.oauth2 import base64url, strict_json

CLAIM = "backendJwt"
MAX_BYTES = 8 * 1024
_COMPACT_JWS = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


def passed_backend_jwt(claims: Mapping[str, Any]) -> str | None:
    """The value of the `backendJwt` claim; None when the token has none.

    Its signature is the upstream's to check: the issuer is trusted to say it, and the form keeps out what would be
    something else as a header.

    Raises:
        Denied: the claim is there and not a signed compact JWS (RFC 7515 §3.1) of at most MAX_BYTES.
    """
    if CLAIM not in claims:
        return None
    value = claims[CLAIM]
    if not isinstance(value, str) or len(value) > MAX_BYTES:
        raise _malformed()
    parts = _COMPACT_JWS.fullmatch(value)
    if parts is None or not _is_signed_header(parts[1]):
        raise _malformed()
    return value


def _is_signed_header(part: str) -> bool:
    try:
        algorithm = strict_json.parse_object(base64url.decode(part)).get("alg")
    except ValueError:
        return False
    # RFC 7518 §3.6: `none` is no signature, in whatever letters.
    return isinstance(algorithm, str) and algorithm.lower() not in {"", "none"}


def _malformed() -> Denied:
    return Denied(Reason.INVALID_TOKEN, "the token's backendJwt claim is not a signed compact JWS of at most 8 KiB")
