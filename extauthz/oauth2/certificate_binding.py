"""The thumbprint of a client's certificate (RFC 8705 §3.1)."""

import base64
import binascii
import hashlib
import re
from urllib.parse import unquote

from extauthz.oauth2 import base64url

MAX_ENCODED_LENGTH = 64 * 1024
"""Characters of URL-encoded PEM; a certificate has a few thousand."""

_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----\s+(?P<body>[A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*", re.ASCII)


def certificate_thumbprint(encoded_pem: str) -> str:
    """SHA-256 of the DER of one certificate, base64url; `encoded_pem` is URL-encoded PEM, as Envoy sends it.

    The certificate is not parsed: Envoy has shaken hands with its owner, and any other bytes have another thumbprint.

    Raises:
        ValueError: not exactly one certificate in PEM.
    """
    if len(encoded_pem) > MAX_ENCODED_LENGTH:
        raise ValueError(f"longer than {MAX_ENCODED_LENGTH} characters")
    pem = _PEM.fullmatch(unquote(encoded_pem))
    if pem is None:
        raise ValueError("not one certificate in PEM")
    try:
        der = base64.b64decode("".join(pem["body"].split()), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64 within the PEM") from exc
    return base64url.encode(hashlib.sha256(der).digest())
