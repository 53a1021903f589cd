"""Base64url without padding, one spelling for each value (RFC 7515 §2)."""

import base64
import binascii

# The characters of base64url to those of base64; those that only base64 has, and the padding, to one of neither.
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
# What may come last, by the number of characters over whole groups of four: one whose spare bits are zero.
_LAST = {0: None, 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


def encode(value: bytes) -> str:
    """The unpadded base64url text of some bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of an unpadded base64url text.

    Raises:
        ValueError: padding, a character outside of the alphabet, or spare bits that are not zero.
    """
    over = len(text) % 4
    if not text.isascii() or over not in _LAST:
        raise ValueError("not base64url")
    last = _LAST[over]
    # RFC 4648 §3.5: otherwise several texts stand for the same bytes, and one token has many spellings.
    if last is not None and text[-1] not in last:
        raise ValueError("not canonical base64url")
    padded = text.encode("ascii").translate(_STANDARD) + b"=" * (-over % 4)
    try:
        return binascii.a2b_base64(padded, strict_mode=True)
    except binascii.Error:
        raise ValueError("not base64url") from None  # its text may quote
