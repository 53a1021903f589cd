"""Base64url without padding, one spelling for each value (RFC 7515 §2)."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(value: bytes) -> str:
    """The unpadded base64url text of some bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of an unpadded base64url text.

    Raises:
        ValueError: padding, a character outside of the alphabet, or spare bits that are not zero.
    """
    if _ALPHABET.fullmatch(text) is None:
        raise ValueError("not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # RFC 4648 §3.5: otherwise several texts stand for the same bytes, and one token has many spellings.
    if encode(value) != text:
        raise ValueError("not canonical base64url")
    return value
