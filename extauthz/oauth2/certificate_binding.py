"""The thumbprint of a client's certificate (RFC 8705 §3.1)."""

import base64
import binascii
import hashlib
from urllib.parse import unquote

from extauthz.oauth2 import base64url

MAX_ENCODED_LENGTH = 64 * 1024
"""Characters of URL-encoded PEM; a certificate has a few thousand."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_BLANKS = " \t\r\n\f\v"
_WITHOUT_BLANKS = str.maketrans("", "", _BLANKS)


def certificate_thumbprint(encoded_pem: str) -> str:
    """SHA-256 of the DER of one certificate, base64url; `encoded_pem` is URL-encoded PEM, as Envoy sends it.

    The certificate is not parsed: Envoy has shaken hands with its owner, and any other bytes have another thumbprint.

    Raises:
        ValueError: not exactly one certificate in PEM.
    """
    if len(encoded_pem) > MAX_ENCODED_LENGTH:
        raise ValueError(f"longer than {MAX_ENCODED_LENGTH} characters")
    try:
        der = base64.b64decode(_body(unquote(encoded_pem)), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64 within the PEM") from exc
    return base64url.encode(hashlib.sha256(der).digest())


def _body(pem: str) -> str:
    # No regular expression: each step reads the text once, whatever a stranger has put between the lines.
    text = pem.strip(_BLANKS)
    inside = text.removeprefix(_BEGIN).removesuffix(_END)
    body = inside.translate(_WITHOUT_BLANKS)
    if len(inside) != len(text) - len(_BEGIN) - len(_END) or inside[:1] not in _BLANKS or not body:
        raise ValueError("not one certificate in PEM")
    return body
