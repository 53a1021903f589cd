"""Runs the key manager as a process."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.resident.address import Address, is_loopback
from extauthz.resident.app import create_app
from extauthz.resident.configuration import Configuration

GRACE_SECONDS = 10
"""How long requests in progress may take after a signal."""

MAX_CONNECTIONS = 1000
"""More are answered 503, so that a flood costs a bounded amount of memory."""

logger = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """uvicorn, which raises a signal again after it has shut down; here a signal is a normal end."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                ws="none",
                # Logging is set up by the process; uvicorn's own access log would show queries.
                log_config=None,
                access_log=False,
                server_header=False,
                # Nothing here depends on the client's address or scheme.
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def run(configuration: Configuration, clock: Clock) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        Unavailable: the address, the database or the signing key cannot be used.
    """
    with listener(configuration.listen) as sock:
        server = Server(create_app(configuration, clock))
        host, port = sock.getsockname()[:2]
        logger.info("listening", address=str(Address(host=host, port=port)), issuer=configuration.issuer)
        if configuration.issuer.startswith("http:") and not is_loopback(host):
            logger.warning("other hosts can reach this listener, and what they send is not encrypted")
        server.run([sock])


def listener(address: Address) -> socket.socket:
    """A listening socket.

    Raises:
        Unavailable: the address is taken, or not this host's.
    """
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family, backlog=2048)
    except OSError as exc:
        raise Unavailable("listener", f"cannot listen on {address}: {exc.strerror}") from exc
