"""An HTTP server as a guest in our event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 5
_BACKLOG = 128


class OperationsServer:
    """Serves an ASGI application until stopped; signals are left to the process."""

    def __init__(self, app: ASGIApp, *, host: str = "", port: int = 0, path: Path | None = None) -> None:
        """Port 0 lets the kernel choose; with `path`, it is a Unix socket."""
        self._app = app
        self._host = host
        self._port = port
        self._path = path
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen, and return the port (0 for a Unix socket) once requests are answered.

        Raises:
            OSError: the address cannot be had.
        """
        listener = _listener(self._host, self._port) if self._path is None else _unix_listener(self._path)
        port: int = listener.getsockname()[1] if self._path is None else 0
        self._server = _Server(_config(self._app))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="operations-server")
        accepting = asyncio.create_task(self._server.accepting.wait())
        await asyncio.wait({accepting, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            accepting.cancel()
            self._serving.result()
        return port

    async def stop(self) -> None:
        """Finish what is in flight, for a few seconds, and close. Nothing happens on a server that does not run."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        self._server = self._serving = None


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process, and with an event to wait for."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # SIGTERM starts the drain of the gRPC server; uvicorn would take it and stop alone.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _listener(host: str, port: int) -> socket.socket:
    # Bound here, since uvicorn answers a failure with SystemExit.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=dual)
    except OSError as exc:
        raise OSError(exc.errno, f"cannot listen on {host}:{port}: {exc.strerror}") from exc


def _unix_listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
    except OSError as exc:
        listener.close()
        raise OSError(exc.errno, f"cannot listen on unix:{path}: {exc.strerror or exc}") from exc
    listener.listen(_BACKLOG)
    return listener
