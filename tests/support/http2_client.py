"""An HTTP/2 client that shows the frames. (The h2 library takes a GOAWAY for the end, RFC 9113 §6.8 does not.)"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import TypeVar

from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADER_BYTES = 9

FrameT = TypeVar("FrameT", bound=Frame)


class Http2Client:
    """One connection, which acknowledges settings and pings."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder, self._decoder = Encoder(), Decoder()
        self._next_stream = 1
        writer.write(_PREFACE)
        self._send(SettingsFrame(0))

    def call(self, path: str, message: bytes) -> int:
        """Begins a gRPC call; its stream."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        headers = [
            *((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "extauthz")),
            *(("content-type", "application/grpc"), ("te", "trailers")),
        ]
        self._send(HeadersFrame(stream, data=self._encoder.encode(headers), flags=["END_HEADERS"]))
        body = b"\0" + len(message).to_bytes(4, "big") + message
        self._send(DataFrame(stream, data=body, flags=["END_STREAM"]))
        return stream

    async def settings(self) -> dict[int, int]:
        """What the server lets a client do."""
        return dict((await self._next(SettingsFrame)).settings)

    async def goaway(self) -> int:
        """The error code with which the server asks to connect elsewhere."""
        return int((await self._next(GoAwayFrame)).error_code)

    async def grpc_status(self, stream: int) -> str:
        """That of a call."""
        while True:
            frame = await self._next(HeadersFrame)
            headers = {str(name): str(value) for name, value in self._decoder.decode(frame.data)}
            if frame.stream_id == stream and "END_STREAM" in frame.flags:
                return headers["grpc-status"]

    async def closed(self) -> None:
        """Returns when the server has closed the connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                await self._frame()

    async def _next(self, kind: type[FrameT]) -> FrameT:
        while True:
            frame = await self._frame()
            if isinstance(frame, kind) and "ACK" not in frame.flags:
                return frame

    async def _frame(self) -> Frame:
        frame, length = Frame.parse_frame_header(memoryview(await self._reader.readexactly(_HEADER_BYTES)))
        frame.parse_body(memoryview(await self._reader.readexactly(length)))
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self._send(SettingsFrame(0, flags=["ACK"]))
        if isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self._send(PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))
        return frame

    def _send(self, frame: Frame) -> None:
        self._writer.write(frame.serialize())


@contextlib.asynccontextmanager
async def http2_client(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Http2Client]:
    """Connected to a port of 127.0.0.1."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield Http2Client(reader, writer)
    finally:
        writer.transport.abort()
