"""A field of a protobuf message whose content is serialized already: messages in between would take time."""

from functools import lru_cache

_LENGTH_DELIMITED = 2
_MORE = 0x80
_KEPT = 4096
"""Most lengths that answers have."""


def serialized_field(number: int, content: bytes) -> bytes:
    """The field with that number: a message, a string or bytes.

    The parts of one message, each serialized by itself, are that message when they stand behind each other. A field
    that comes twice is not joined by every reader, so the parts of its message are put together first.
    """
    return _tag_and_length(number, len(content)) + content


@lru_cache(maxsize=_KEPT)
def _tag_and_length(number: int, length: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that another byte follows."""
    groups = bytearray()
    while value >= _MORE:
        groups.append(value % _MORE | _MORE)
        value //= _MORE
    groups.append(value)
    return bytes(groups)
