"""A backend JWT that the issuer put into the token, passed on if it has the form of one."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from extauthz.model.errors import Denied, Reason

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
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_unambiguous)
    except (binascii.Error, ValueError, RecursionError):
        return False
    algorithm = header.get("alg") if isinstance(header, dict) else None
    # RFC 7518 §3.6: `none` is no signature, in whatever letters.
    return isinstance(algorithm, str) and algorithm.lower() not in {"", "none"}


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7515 §4: member names are unique; two readers must not see two algorithms."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _malformed() -> Denied:
    return Denied(Reason.INVALID_TOKEN, "the token's backendJwt claim is not a signed compact JWS of at most 8 KiB")
