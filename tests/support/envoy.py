"""A real Envoy on a bootstrap of `deploy/envoy`, and an HTTP/1.1 client that sends header names as they are spelled."""

import asyncio
import contextlib
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from pathlib import Path

import aiohttp

from extauthz.cli.demo import programs
from extauthz.cli.demo.envoy_bootstrap import Bootstrap, Ports, load, with_ports, write
from extauthz.cli.demo.processes import Processes, Ready

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_BINARY = ".cache/envoy/1.40.0/envoy/_bin/envoy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEnvoy:
    """Where a started Envoy listens, on loopback."""

    port: int
    admin_port: int

    def url(self, path: str = "/") -> str:
        """For a client such as aiohttp."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def counter(self, name: str) -> int:
        """A counter of Envoy's by its full name, 0 if it was never touched."""
        stats = json.loads(await _admin(self.admin_port, f"/stats?format=json&filter=^{name}$"))
        return int(stats["stats"][0]["value"]) if stats["stats"] else 0

    async def release(self) -> str:
        """What it calls itself: "1.40.0"."""
        version: str = json.loads(await _admin(self.admin_port, "/server_info"))["version"]
        return version.split("/")[1]  # commit, release, state of the tree, kind of build, TLS library


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer to `send`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def seen_by_upstream(self, name: str) -> list[str]:
        """The values of every header that an upstream may take for `name`, from the echo upstream's answer."""
        return [value for received, value in json.loads(self.body)["headers"] if _folded(received) == _folded(name)]


def envoy_binary() -> Path:
    """The Envoy under test.

    Raises:
        FileNotFoundError: there is none; nothing is skipped, for these tests guard what clients can forge.
    """
    binary = ROOT / os.environ.get("EXTAUTHZ_TEST_ENVOY", DEFAULT_BINARY)
    if not binary.is_file():
        raise FileNotFoundError(f"no Envoy at {binary}: `make test` fetches it, EXTAUTHZ_TEST_ENVOY names another")
    return binary


async def ensure_accepted(config: Path) -> None:
    """Envoy takes a configuration as it is, and finds nothing deprecated in it."""
    validation = await asyncio.create_subprocess_exec(
        *(envoy_binary(), "--mode", "validate", "--log-level", "warning", "--config-path", config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await validation.communicate()
    assert validation.returncode == 0, output.decode()
    assert b"deprecated" not in output.lower()


@contextlib.asynccontextmanager
async def running_envoy(
    folder: Path,
    *,
    authorization_port: int,
    upstream_port: int,
    bootstrap_file: str = "envoy.yaml",
    change: Callable[[Bootstrap], None] = lambda _bootstrap: None,
) -> AsyncIterator[RunningEnvoy]:
    """Envoy on ports of its own choice, its files in `folder`; `change` may alter the bootstrap before."""
    ports = Ports(listener=0, admin=0, authorization=authorization_port, upstream=upstream_port)
    bootstrap = with_ports(load(ROOT / "deploy/envoy" / bootstrap_file), ports)
    change(bootstrap)
    address = folder / "admin-address"
    address.unlink(missing_ok=True)  # of an earlier one in the same folder
    program = programs.envoy(envoy_binary(), write(bootstrap, folder / "envoy.yaml"), admin_port=0)
    argv = (*program.argv, "--admin-address-path", str(address))
    async with Processes(folder) as processes:
        await processes.start(replace(program, argv=argv, ready=_ready_at(address)))
        admin_port = _port_in(address)
        assert admin_port is not None
        yield RunningEnvoy(port=await _listener_port(admin_port), admin_port=admin_port)


@contextlib.asynccontextmanager
async def running_echo(folder: Path) -> AsyncIterator[int]:
    """The demo's echo upstream; its port."""
    port = programs.free_port()
    async with Processes(folder) as processes:
        await processes.start(programs.echo(port=port))
        yield port


async def send(
    port: int,
    headers: Iterable[tuple[str, str]] = (),
    *,
    method: str = "GET",
    target: str = "/",
) -> Response:
    """One HTTP/1.1 request on a connection of its own; names, order, case and repetitions go out as given."""
    lines = [f"{method} {target} HTTP/1.1", "Host: api.example.com", *(f"{name}: {value}" for name, value in headers)]
    if not any(name.lower() == "connection" for name, _ in headers):
        lines.append("Connection: close")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return _parsed(await reader.read(), method)
    finally:
        writer.close()
        await writer.wait_closed()


class _Received:
    """What was read, as the socket that `HTTPResponse` wants."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


def _parsed(received: bytes, method: str) -> Response:
    response = HTTPResponse(_Received(received), method=method)  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    return Response(status=response.status, headers=tuple(response.getheaders()), body=body)


def _folded(name: str) -> str:
    # RFC 3875 §4.1.18, as servers have stretched it: every separator is the same underscore.
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


def _ready_at(address: Path) -> Ready:
    async def ready() -> bool:
        port = _port_in(address)
        return port is not None and await programs.answers_ok(f"http://127.0.0.1:{port}/ready")()

    return ready


def _port_in(address: Path) -> int | None:
    # Envoy makes the file first and writes it then, in one go: it is missing, empty or whole.
    text = address.read_text(encoding="ascii") if address.exists() else ""
    return int(text.rpartition(":")[2]) if text else None


async def _listener_port(admin_port: int) -> int:
    listeners = json.loads(await _admin(admin_port, "/listeners?format=json"))
    return int(listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"])


async def _admin(port: int, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        response.raise_for_status()
        return await response.text()
