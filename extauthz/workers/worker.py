"""A process that answers Checks beside others, as the one that watches over it sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from extauthz.workers.own_pages import OwnPages


class Worker:
    """One of several; one process after another.

    Its standard input is a socket to us. It writes there once it listens, and ends by itself when there is nobody at
    the other end any more, however we came to our end.
    """

    def __init__(
        self, number: int, *, command: Sequence[str], operations: Path, files: Mapping[Path, str] | None = None
    ) -> None:
        """`operations` is the Unix socket on which the process of this command has its pages for operators.

        `files` are for it alone, by their text, and written before each start.
        """
        self.number = number
        self.pages = OwnPages(operations)
        self.listening = False
        """Whether it takes connections of Envoy now."""
        self.listened = asyncio.Event()
        """Whether it ever did."""
        self._command = tuple(command)
        self._operations = operations
        self._files = dict(files or {})
        self._reload_wanted = False
        self._running: tuple[asyncio.subprocess.Process, socket.socket] | None = None

    @property
    def process_id(self) -> int | None:
        """None: it does not run."""
        return self._running[0].pid if self._running is not None else None

    async def start(self) -> None:
        """Starts a process; `ended` waits for its end.

        Raises:
            OSError: there can be none now.
        """
        self._operations.unlink(missing_ok=True)  # of a former one that was killed
        # Whoever clears folders of old files may have taken them.
        for path, text in self._files.items():
            path.write_text(text, encoding="utf-8")
        self._reload_wanted = False  # it is about to read everything
        ours, theirs = socket.socketpair()
        # Modules are found where we find them, whatever the folder is.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            # A signal for our whole group (Ctrl-C) is for us, who tell the worker: it may not be able to take one yet.
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=theirs.fileno(), env=environment, start_new_session=True
            )
            undo.pop_all()
        self._running = (process, ours)

    async def ended(self) -> int:
        """Waits for the end, and returns the exit status; below 0 it is the number of the signal that killed it."""
        if self._running is None:
            raise RuntimeError("it was not started")
        process, line = self._running
        try:
            reader, writer = await asyncio.open_connection(sock=line)
            with contextlib.closing(writer):
                if await reader.read(1):
                    self._listens()
                return await process.wait()
        finally:
            self.listening, self._running = False, None
            line.close()

    def reload(self) -> None:
        """Has it read its settings again. One that does not listen yet is told once it does: it may not take a signal.

        It may have read them long ago, and wait for what it needs since then.
        """
        if self.listening:
            self.tell(signal.SIGHUP)
        else:
            self._reload_wanted = True

    def tell(self, number: signal.Signals) -> None:
        """Sends it a signal; nothing happens if it does not run."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                self._running[0].send_signal(number)

    def _listens(self) -> None:
        self.listening = True
        self.listened.set()
        if self._reload_wanted:
            self.reload()
