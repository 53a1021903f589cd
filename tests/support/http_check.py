"""The HTTP check port in the test's own process, and proxies that ask it as their documentation says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.servicer import Answering, AuthorizationServicer, Decider
from extauthz.http_check.server import HttpCheckServer

Lines = Sequence[tuple[str, str]]
"""Headers in their order, repeated ones too."""

NGINX: Lines = (
    ("Host", "api.example.com"),
    ("X-Original-Method", "GET"),
    ("X-Original-URI", "/petstore/v1/pets?limit=1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "198.51.100.7, 192.0.2.1"),
)
TRAEFIK: Lines = (
    ("Host", "extauthz:9193"),
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "api.example.com"),
    ("X-Forwarded-Uri", "/petstore/v1/pets?limit=1"),
    ("X-Forwarded-For", "192.0.2.1"),
)
ENVOY: Lines = (("Host", "api.example.com"), ("x-forwarded-proto", "https"))
TARGETS = {"envoy": "/check/petstore/v1/pets?limit=1", "nginx": "/check", "traefik": "/check"}
LINES = {"envoy": ENVOY, "nginx": NGINX, "traefik": TRAEFIK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as it came, names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Asked:
    """A servicer's `Check` that keeps what it is asked."""

    def __init__(self, decider: Decider, **policy: Any) -> None:
        self._servicer = AuthorizationServicer(
            Answering(decider=decider, responses=ResponseBuilder(ResponsePolicy(**policy)), budget_seconds=60.0)
        )
        self.requests: list[CheckRequest] = []

    async def __call__(self, request: bytes) -> bytes:
        self.requests.append(CheckRequest.FromString(request))
        return await self._servicer.Check(request)


@asynccontextmanager
async def check_port(check: Any, proxy: str) -> AsyncIterator[int]:
    """The port of a server for this proxy."""
    server = HttpCheckServer(check, listen="127.0.0.1:0", path_prefix="/check", proxy=proxy)
    port = await server.start()
    try:
        yield port
    finally:
        await server.stop(grace_seconds=1)


async def ask(port: int, target: str, lines: Lines, *, method: str = "GET", version: str = "1.1") -> Reply:
    """One request on a connection of its own."""
    text = "".join(f"{name}: {value}\r\n" for name, value in (*lines, ("Connection", "close")))
    return await send_bytes(port, f"{method} {target} HTTP/{version}\r\n{text}\r\n".encode("latin-1"))


async def send_bytes(port: int, octets: bytes) -> Reply:
    """Octets as they are; the answer ends with the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(octets)
        received = await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    named = dict(line.split(": ", 1) for line in headers)
    return Reply(status=int(status.split()[1]), headers={n.lower(): v for n, v in named.items()}, body=body)
