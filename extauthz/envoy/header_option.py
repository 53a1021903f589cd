"""A header that Envoy sets for us."""

import re

from envoy.config.core.v3.base_pb2 import HeaderValueOption
from google.protobuf.wrappers_pb2 import BoolValue

_VALUE = re.compile(r"[\x20-\x7e]+")
_NAME = re.compile(r"[0-9a-z_-]+")
_OVERWRITES = HeaderValueOption(
    append=BoolValue(value=False), append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
).SerializeToString()
"""Read anew for each header: faster than the constructors, on the way of every Check."""


def header_option(name: str, value: str) -> HeaderValueOption:
    """Overwrite the header, or add it; never append to one that the client sent.

    Both fields say so, since Envoy's versions differ in which one they follow and in the default of each.

    Raises:
        ValueError: the value is empty (Envoy drops such a header, and the client's own would stay), or holds anything
            but printable ASCII: a line break would start a header of somebody else's choice.
    """
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the value of {name} is empty or not printable ASCII")
    option = HeaderValueOption.FromString(_OVERWRITES)
    header = option.header
    header.key, header.value = name, value
    return option


def header_name(name: str) -> str:
    """The name in lower case, as HTTP/2 carries it (RFC 9113 §8.2.1).

    Raises:
        ValueError: not a name of ASCII letters, digits, `-` and `_`.
    """
    lower = name.lower()
    if not _NAME.fullmatch(lower):
        raise ValueError(f"not a header name: {name!r}")
    return lower
