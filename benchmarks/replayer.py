"""Load with a token of its own in each request, or at a rate: `python -m benchmarks.replayer PORT ...` prints JSON.

h2load sends one body, and keeps a rate by bursts of what is due in 10 ms, whose last ones wait for their first ones.
This one writes frames straight to a socket, and is held against h2load where both can do the same (`grpc`, "replayer").
"""

import argparse
import json
import random
import selectors
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
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

    def __init__(self, port: int, bodies: Iterator[bytes], *, streams: int, paced: bool = False) -> None:
        """`paced`: nothing is sent but by `send_one`."""
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
        self._paced = paced
        self._began: dict[int, float] = {}
        self.seconds: list[float] = []
        """Of each Check that was sent at its time."""
        self._next: bytes | None = next(bodies, None)
        self.socket.sendall(greeting())
        if not paced:
            self._send()

    @property
    def sent_all(self) -> bool:
        """Whether there is nothing more to send."""
        return self._next is None

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
        if not self._paced:
            self._send()

    def send_one(self, due: float) -> None:
        """Sends the next Check, and notes how long after `due` it is answered."""
        self._began[self._stream] = due
        self.socket.sendall(b"".join(self._framed()))

    def _take(self, received: Frame) -> None:
        match received.type:
            case FrameType.DATA:
                # gRPC's prefix has 5 bytes; an answer of a kilobyte is one frame.
                if received.payload:
                    self._note(received.payload[5:])
            case FrameType.HEADERS if received.flags & END_STREAM:
                self._under_way -= 1
                self._free += 1
                if self._paced:
                    self.seconds.append(perf_counter() - self._began.pop(received.stream))
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
        while self.may_send:
            out += self._framed()
        if out:
            self.socket.sendall(b"".join(out))

    @property
    def may_send(self) -> bool:
        """Whether there is a Check to send, and room for it."""
        return self._free > 0 and self._next is not None and self._window >= len(self._next)

    def _framed(self) -> tuple[bytes, bytes]:
        body, stream = self._next or b"", self._stream
        self._window -= len(body)
        self._stream += 2
        self._free -= 1
        self._under_way += 1
        self._next = next(self._bodies, None)
        head = frame(FrameType.HEADERS, END_HEADERS, stream, self._block)
        return head, frame(FrameType.DATA, END_STREAM, stream, body)


def bodies(count: int, distinct: int, first: bytes = b"") -> Iterator[bytes]:
    """Framed CheckRequests with `distinct` opaque tokens in turn; with `first`, that request and no other."""
    request = first or check_request(numbered_token(0))
    framed = b"\0" + len(request).to_bytes(4, "big") + request
    before, placeholder, after = framed.partition(numbered_token(0).encode())
    for number in range(count):
        token = numbered_token(number * _STEP % distinct).encode() if placeholder else b""
        yield before + token + after


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How Checks are sent."""

    connections: int = 2
    streams: int = 50
    """Under way on one connection, at most."""
    per_second: int = 0
    """On all connections; 0: as fast as answers come."""


def replay(port: int, every: Iterator[bytes], load: Load) -> tuple[float, list[Connection]]:
    """Seconds, and the connections, on which everything was answered.

    At a rate, Checks come as from independent callers: the gaps are random (the same ones in each run), whatever is
    answered meanwhile. Then it never sleeps, since the shortest sleep of a selector is a millisecond.

    Raises:
        ConnectionError: the server has closed a connection.
    """
    started = perf_counter()
    selector = selectors.DefaultSelector()
    opened = [Connection(port, every, streams=load.streams, paced=load.per_second > 0) for _ in range(load.connections)]
    for connection in opened:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    if load.per_second:
        _send_paced(selector, opened, load.per_second)
    while not all(connection.finished for connection in opened):
        _read(selector, None)
    seconds = perf_counter() - started
    for connection in opened:
        connection.socket.close()
    return seconds, opened


def _send_paced(selector: selectors.BaseSelector, opened: Sequence[Connection], per_second: int) -> None:
    gaps = random.Random(0)  # noqa: S311 - no secret
    due = perf_counter()
    for connection in cycle(opened):
        if connection.sent_all:
            return
        due += gaps.expovariate(per_second)
        while True:
            _read(selector, 0)
            if perf_counter() >= due and connection.may_send:
                break
        connection.send_one(due)


def _read(selector: selectors.BaseSelector, timeout: float | None) -> None:
    for key, _ in selector.select(timeout):
        key.data.read()


def main() -> int:
    """0: every Check was allowed."""
    parser = argparse.ArgumentParser(prog="benchmarks.replayer", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--distinct", type=int, default=1)
    parser.add_argument("--per-second", type=int, default=0)
    parser.add_argument("--body", type=argparse.FileType("rb"), help="a CheckRequest to send instead, always the same")
    arguments = parser.parse_args()
    every = bodies(arguments.count, arguments.distinct, arguments.body.read() if arguments.body else b"")
    seconds, opened = replay(arguments.port, every, Load(per_second=arguments.per_second))
    allowed = sum(each.allowed for each in opened)
    if allowed != arguments.count:
        refused = next((each.refusal for each in opened if each.refusal), "calls failed")
        print(f"{allowed} of {arguments.count} were allowed; {refused}", file=sys.stderr)
        return 1
    milliseconds = [round(each * 1000, 3) for connection in opened for each in connection.seconds]
    print(json.dumps({"per_second": round(allowed / seconds, 1), "milliseconds": milliseconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
