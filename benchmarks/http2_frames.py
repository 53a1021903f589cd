"""As much of HTTP/2 (RFC 9113) and of gRPC's framing as it takes to send Checks and to read the answers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9
_STREAM_MASK = 0x7FFF_FFFF
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
_HEADER_TABLE_SIZE, _ENABLE_PUSH, _INITIAL_WINDOW_SIZE = 0x1, 0x2, 0x4
_LARGEST_WINDOW = 2**31 - 1
FIRST_WINDOW = 65_535
"""What either side may send before it is told more (RFC 9113 §6.9.2)."""


class FrameType(IntEnum):
    """RFC 9113 §6."""

    DATA = 0x0
    HEADERS = 0x1
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One that was received."""

    type: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: FrameType, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """RFC 9113 §4.1."""
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def greeting() -> bytes:
    """The first bytes of a client: it will never make the server wait, and its headers need no table."""
    settings = struct.pack(">HIHIHI", _HEADER_TABLE_SIZE, 0, _ENABLE_PUSH, 0, _INITIAL_WINDOW_SIZE, _LARGEST_WINDOW)
    window = struct.pack(">I", _LARGEST_WINDOW - FIRST_WINDOW)
    return PREFACE + frame(FrameType.SETTINGS, 0, 0, settings) + frame(FrameType.WINDOW_UPDATE, 0, 0, window)


def literal(name: str, value: str) -> bytes:
    """A header that enters no table, without Huffman's code (RFC 7541 §6.2.2)."""
    return b"\0" + b"".join(_integer(len(text), 7) + text for text in (name.encode(), value.encode()))


def headers(authority: str, path: str) -> bytes:
    """The header block of a gRPC request."""
    members = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
    }
    return b"".join(literal(name, value) for name, value in members.items())


def frames(received: bytearray) -> Iterator[Frame]:
    """The whole frames at the beginning of what was received, which are taken away from it."""
    position = 0
    while len(received) - position >= HEADER_BYTES:
        length = int.from_bytes(received[position : position + 3], "big")
        end = position + HEADER_BYTES + length
        if len(received) < end:
            break
        kind, flags, stream = struct.unpack_from(">BBI", received, position + 3)
        payload = bytes(received[position + HEADER_BYTES : end])
        yield Frame(type=kind, flags=flags, stream=stream & _STREAM_MASK, payload=payload)
        position = end
    del received[:position]


def _integer(value: int, bits: int) -> bytes:
    """RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    octets, value = [most], value - most
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])
