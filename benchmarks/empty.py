"""The floor of every figure with a socket: our gRPC server, with a handler that returns the bytes of a file.

With `--reads` it reads the request and its token first: what no handler that answers by them can do without.
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from extauthz.envoy.request import request_context
from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.servicer import Answering, AuthorizationServicer
from extauthz.model.check import Decision, Deny, RequestContext
from extauthz.model.errors import Reason
from extauthz.telemetry.health import Health


class _Nobody:
    """Decides nothing; it is never asked."""

    async def decide(self, request: RequestContext) -> Decision:  # noqa: ARG002 - as the protocol wants it
        return Deny(reason=Reason.INTERNAL)


class _Empty(AuthorizationServicer):
    def __init__(self, response: bytes) -> None:
        super().__init__(Answering(decider=_Nobody(), responses=ResponseBuilder(ResponsePolicy()), budget_seconds=1.0))
        self._response = response

    async def Check(self, request_bytes: bytes, _context: object = None) -> bytes:  # noqa: ARG002, N802
        return self._response


class _Reading(_Empty):
    async def Check(self, request_bytes: bytes, _context: object = None) -> bytes:  # noqa: N802
        request = request_context(CheckRequest.FromString(request_bytes))
        return self._response if request.headers.get("authorization") else b""


async def _serve(port: int, servicer: AuthorizationServicer) -> None:
    health = Health(essential=(), dispensable=())
    await EnvoyServer(address=f"127.0.0.1:{port}", servicer=servicer, health=health).start()
    await asyncio.Event().wait()


def main() -> None:
    """Until it is ended: `python -m benchmarks.empty PORT FILE [--reads]`."""
    handler = _Reading if "--reads" in sys.argv else _Empty
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), handler(Path(sys.argv[2]).read_bytes())))


if __name__ == "__main__":
    main()
