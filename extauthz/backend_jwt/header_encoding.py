"""How a claim or an attribute is written as the value of a header.

A list becomes its elements, joined by a comma: each can be told from the next, or it is not sent at all.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from extauthz.oauth2 import base64url

Encode = Callable[[Any], str]
"""From a value of JSON to printable ASCII; "" where there is nothing to say.

Raises:
    ValueError: the value cannot be written in this way; the message does not hold it.
"""

_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_AS_IS = " !\"#$&'()*+/:;<=>?@[\\]^`{|}"
"""Beside letters, digits and `-._~`. Not the comma: a name that its bearer chose would look like two."""


def percent(value: object) -> str:
    """Printable ASCII but `%` and `,` as it is, all else as percent-encoded UTF-8; also a space at either end."""
    return ",".join(_percent_encoded(text) for text in _texts(value))


def plain(value: object) -> str:
    """As it is.

    Raises:
        ValueError: a character that is not printable ASCII, a space at either end (HTTP drops it), or a comma in an
            element of a list.
    """
    texts = _texts(value)
    for text in texts:
        if (text and not _PLAIN.fullmatch(text)) or ("," in text and isinstance(value, list)):
            raise ValueError("not to be sent as it is")
    return ",".join(texts)


def as_base64url(value: object) -> str:
    """UTF-8 in base64url without padding (RFC 4648 §5), of each element of a list on its own."""
    return ",".join(base64url.encode(text.encode()) for text in _texts(value))


def as_json(value: object) -> str:
    """JSON in ASCII, objects as well (RFC 8259)."""
    try:
        return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except TypeError as exc:
        raise ValueError("not a value of JSON") from exc


ENCODINGS: Mapping[str, Encode] = {
    "percent": percent,
    "plain": plain,
    "base64url": as_base64url,
    "json": as_json,
}
"""By the word that the settings have for it."""


def _percent_encoded(text: str) -> str:
    encoded = quote(text, safe=_AS_IS, errors="strict")
    inner = encoded.strip(" ")
    if len(inner) == len(encoded):
        return encoded
    leading = len(encoded) - len(encoded.lstrip(" ")) if inner else 0
    return "%20" * leading + inner + "%20" * (len(encoded) - len(inner) - leading)


def _texts(value: object) -> list[str]:
    return [_text(element) for element in value] if isinstance(value, list) else [_text(value)]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return as_json(value)
    raise ValueError("only strings, numbers, booleans and lists of them can be told apart; objects go as JSON")
