"""Log lines on their way out: whoever logs never waits for whoever reads."""

import json
import os
import select
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

_PAUSE_SECONDS = 0.05
"""Between two writes: lines that come meanwhile leave together. The first after a silence leaves at once."""
_CAPACITY_CHARACTERS = 4 * 1024 * 1024
"""Some ten thousand lines, if nobody reads for that long."""
_FAREWELL_SECONDS = 5.0
"""How long the end of the process waits for a reader who is slow."""


class LogLines:
    """A stream for whole lines, written by a thread of its own: a full pipe would hold the event loop else.

    What finds no room is dropped and counted, and a line says so once there is room again. Lines that come after the
    end are written at once.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        capacity: int = _CAPACITY_CHARACTERS,
        farewell_seconds: float = _FAREWELL_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
        worker: int | None = None,
    ) -> None:
        """`capacity` is in characters; `worker` is the number of this process if it is one of several."""
        # Not a stream: if the thread were held in a write, its lock could not be had at the end of the process.
        self._descriptor = descriptor
        self._capacity = capacity
        self._farewell_seconds = farewell_seconds
        self._pause_seconds = pause_seconds
        self._signature = {"worker": worker} if worker is not None else {}
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._held = 0
        self._dropped = self._told = 0
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join(self._farewell_seconds)
        if not self._thread.is_alive():
            self._write_out()  # what came while it ended

    @property
    def dropped(self) -> int:
        """How many lines were never written."""
        return self._dropped

    def write(self, line: str) -> int:
        """Takes one line, with its end."""
        with self._lock:
            first = not self._lines
            if self._held + len(line) > self._capacity:
                self._dropped += 1
                return 0
            self._lines.append(line)
            self._held += len(line)
        if self._closing.is_set() and not self._thread.is_alive():
            self._write_out()
        elif first:
            self._wake.set()
        return len(line)

    def flush(self) -> None:
        """Nothing: every line is on its way, and nobody is to wait for it."""

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._write_out()
            self._closing.wait(self._pause_seconds)
        self._write_out()

    def _write_out(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        if lines:
            self._write(lines)
        if (dropped := self._dropped) > self._told:
            self._tell(dropped)

    def _write(self, lines: list[str]) -> None:
        failed = not all(_written(self._descriptor, piece) for piece in pieces(lines))
        with self._lock:
            # Until now they took up room, or as much again could pile up behind a reader who is slow.
            self._held -= sum(map(len, lines))
            self._dropped += len(lines) if failed else 0

    def _tell(self, dropped: int) -> None:
        event = {
            "lines": dropped - self._told,
            "event": "log_lines_dropped",
            **self._signature,
            "level": "warning",
            "timestamp": datetime.now(UTC).isoformat(),
        }
        if _written(self._descriptor, json.dumps(event).encode() + b"\n"):
            self._told = dropped


def pieces(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines in as few writes as leave each line whole where several processes share a pipe: `PIPE_BUF` (POSIX) at most.

    A line that is longer has a piece to itself.
    """
    piece = b""
    for line in lines:
        written = line.encode("utf-8", "backslashreplace")
        if piece and len(piece) + len(written) > select.PIPE_BUF:
            yield piece
            piece = b""
        piece += written
    if piece:
        yield piece


def _written(descriptor: int, piece: bytes, *, write: Callable[[int, memoryview], int] = os.write) -> bool:
    """Whether all of it could be."""
    left = memoryview(piece)
    try:
        while left:
            try:
                left = left[write(descriptor, left) :]
            except BlockingIOError:  # whoever shares the stream may have made it one that does not wait
                _wait_until_writable(descriptor)
    except OSError:  # nobody reads any more; there is no other place to say so
        return False
    return True


def _wait_until_writable(descriptor: int) -> None:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    waiting.poll()
