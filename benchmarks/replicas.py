"""Several `extauthz serve` that share one Valkey, as operators run them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from support.authorization_server import AuthorizationServer
from support.service import CACHE_SECRET, write_files

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_OPERATOR = "the operator's own bearer token, long enough"
_REVOCATION_SECRET = "another secret of at least 32 bytes"  # noqa: S105 - of a Valkey that lives for seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One process."""

    operations: str
    call: "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]" = field(repr=False)
    session: aiohttp.ClientSession = field(repr=False)

    async def check(self, request: bytes) -> bytes:
        """Serialized request to serialized answer."""
        return await self.call(request, timeout=10)

    async def revoke(self, **revocation: str) -> None:
        """POST /revocations; returns when it is stored."""
        headers = {"Authorization": f"Bearer {_OPERATOR}"}
        body = {"key_manager": "km", **revocation}
        async with self.session.post(f"{self.operations}/revocations", json=body, headers=headers) as answer:
            if answer.status != 204:
                raise RuntimeError(f"not revoked: {answer.status} {await answer.text()}")


@asynccontextmanager
async def running_replicas(
    folder: Path, issuer: AuthorizationServer, valkey_url: str, *, count: int = 3
) -> AsyncIterator[list[Replica]]:
    """Replicas that are ready; they know the issuer and the catalog of the tests."""
    async with AsyncExitStack() as stack:
        processes = await stack.enter_async_context(Processes(folder))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        replicas = []
        for number in range(1, count + 1):
            own, ports = folder / str(number), (free_port(), free_port())
            write_files(own, issuer, _settings(valkey_url, *ports), {})
            if number == 1:
                await _initialize(own)
            await processes.start(_program(f"replica-{number}", own, issuer, ports[1]))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{ports[0]}"))
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_CHECK)
            operations = f"http://127.0.0.1:{ports[1]}"
            replicas.append(Replica(operations=operations, call=call, session=session))
        yield replicas


def _settings(valkey_url: str, port: int, operations_port: int) -> dict[str, Any]:
    redis = {"url": valkey_url, "timeout_seconds": 1.0}
    return {
        "listen": f"127.0.0.1:{port}",
        "operations": {"listen": f"127.0.0.1:{operations_port}", "token": "operator"},
        "cache": {"backend": "redis", "secret": ["cache-secret"], "redis": redis},
        "revocation": {"backend": "redis", "secret": ["revocation-secret"], "redis": {"url": valkey_url}},
        "secrets": {
            "backend-jwt-key": {"file": "backend-jwt-key.pem"},
            "cache-secret": {"env": "TEST_CACHE_SECRET"},
            "revocation-secret": {"env": "TEST_REVOCATION_SECRET"},
            "operator": {"env": "TEST_OPERATOR"},
            "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]},
        },
    }


def _command(command: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "extauthz", command, "--config", str(folder / "extauthz.yaml"))


async def _initialize(folder: Path) -> None:
    environment = {"TEST_REVOCATION_SECRET": _REVOCATION_SECRET}
    process = await asyncio.create_subprocess_exec(
        *_command("revoke", folder), "--initialize", stdout=asyncio.subprocess.DEVNULL, env=environment
    )
    if await process.wait() != 0:
        raise RuntimeError("Valkey could not be initialised for revocations")


def _program(name: str, folder: Path, issuer: AuthorizationServer, operations_port: int) -> Program:
    return Program(
        name=name,
        argv=_command("serve", folder),
        ready=answers_ok(f"http://127.0.0.1:{operations_port}/readyz"),
        environment={
            "TEST_CACHE_SECRET": CACHE_SECRET,
            "TEST_REVOCATION_SECRET": _REVOCATION_SECRET,
            "TEST_OPERATOR": _OPERATOR,
            "TEST_GATEWAY_SECRET": issuer.client_secret,
        },
    )
