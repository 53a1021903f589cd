"""Load with a token of its own in each request: `python -m benchmarks.replayer PORT ...` prints Checks a second.

h2load sends one body. This one writes frames straight to a socket, and is held against h2load where both can do the
same (`grpc`, "replayer").
"""

import argparse
import selectors
import socket
import sys
from collections.abc import Iterator
from time import perf_counter

from benchmarks.http2_frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    Frame,
    FrameType,
    frame,
    frames,
    greeting,
    headers,
)
from benchmarks.requests import check_request, is_allowed, numbered_token, refusal

_PATH = "/envoy.service.auth.v3.Authorization/Check"
_READ_BYTES = 256 * 1024
_STEP = 7_919
"""A prime, so that neighbours in time are none in the cache."""


class Connection:
    """One HTTP/2 connection that keeps `streams` Checks under way."""

    def __init__(self, port: int, bodies: Iterator[bytes], *, streams: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.allowed = 0
        self.refusal = ""
        """The first one."""
        self._bodies = bodies
        self._block = headers(f"127.0.0.1:{port}", _PATH)
        self._received = bytearray()
        self._window = FIRST_WINDOW
        self._stream = 1
        self._free = streams
        self._under_way = 0
        self._next: bytes | None = next(bodies, None)
        self.socket.sendall(greeting())
        self._send()

    @property
    def finished(self) -> bool:
        """Whether everything was sent and answered."""
        return self._next is None and self._under_way == 0

    def read(self) -> None:
        """Takes what has come, and sends what may go now.

        Raises:
            ConnectionError: the server has closed, or reset a stream.
        """
        chunk = self.socket.recv(_READ_BYTES)
        if not chunk:
            raise ConnectionError("the server has closed the connection")
        self._received += chunk
        for received in frames(self._received):
            self._take(received)
        self._send()

    def _take(self, received: Frame) -> None:
        match received.type:
            case FrameType.DATA:
                # gRPC's prefix has 5 bytes; an answer of a kilobyte is one frame.
                if received.payload:
                    self._note(received.payload[5:])
            case FrameType.HEADERS if received.flags & END_STREAM:
                self._under_way -= 1
                self._free += 1
            case FrameType.WINDOW_UPDATE if received.stream == 0:
                self._window += int.from_bytes(received.payload, "big")
            case FrameType.SETTINGS if not received.flags & ACK:
                self.socket.sendall(frame(FrameType.SETTINGS, ACK, 0))
            case FrameType.PING if not received.flags & ACK:
                self.socket.sendall(frame(FrameType.PING, ACK, 0, received.payload))
            case FrameType.RST_STREAM | FrameType.GOAWAY:
                raise ConnectionError(f"the server sent {FrameType(received.type).name}")
            case _:
                pass

    def _note(self, answer: bytes) -> None:
        if is_allowed(answer):
            self.allowed += 1
        elif not self.refusal:
            self.refusal = refusal(answer)

    def _send(self) -> None:
        out: list[bytes] = []
        while self._free and self._next is not None and self._window >= len(self._next):
            body = self._next
            out += (
                frame(FrameType.HEADERS, END_HEADERS, self._stream, self._block),
                frame(FrameType.DATA, END_STREAM, self._stream, body),
            )
            self._window -= len(body)
            self._stream += 2
            self._free -= 1
            self._under_way += 1
            self._next = next(self._bodies, None)
        if out:
            self.socket.sendall(b"".join(out))


def bodies(count: int, distinct: int, first: bytes = b"") -> Iterator[bytes]:
    """Framed CheckRequests with `distinct` opaque tokens in turn; with `first`, that request and no other."""
    request = first or check_request(numbered_token(0))
    framed = b"\0" + len(request).to_bytes(4, "big") + request
    before, placeholder, after = framed.partition(numbered_token(0).encode())
    for number in range(count):
        token = numbered_token(number * _STEP % distinct).encode() if placeholder else b""
        yield before + token + after


def replay(port: int, every: Iterator[bytes], *, connections: int, streams: int) -> tuple[float, int, str]:
    """Seconds, how many were allowed, and the first refusal."""
    started = perf_counter()
    selector = selectors.DefaultSelector()
    opened = [Connection(port, every, streams=streams) for _ in range(connections)]
    for connection in opened:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    while not all(connection.finished for connection in opened):
        for key, _ in selector.select():
            key.data.read()
    seconds = perf_counter() - started
    for connection in opened:
        connection.socket.close()
    refused = next((each.refusal for each in opened if each.refusal), "")
    return seconds, sum(each.allowed for each in opened), refused


def main() -> int:
    """0: every Check was allowed."""
    parser = argparse.ArgumentParser(prog="benchmarks.replayer", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--distinct", type=int, default=1)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--body", type=argparse.FileType("rb"), help="a CheckRequest to send instead, always the same")
    arguments = parser.parse_args()
    every = bodies(arguments.count, arguments.distinct, arguments.body.read() if arguments.body else b"")
    how = {"connections": arguments.connections, "streams": arguments.streams}
    seconds, allowed, refused = replay(arguments.port, every, **how)
    if allowed != arguments.count:
        print(f"{allowed} of {arguments.count} were allowed; {refused or 'calls failed'}", file=sys.stderr)
        return 1
    print(f"{allowed / seconds:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
