"""The floor of every figure with a socket: our gRPC server, with a handler that returns the bytes of a file."""

import asyncio
import sys
from pathlib import Path

import uvloop

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


async def _serve(port: int, response: bytes) -> None:
    health = Health(essential=(), dispensable=())
    await EnvoyServer(address=f"127.0.0.1:{port}", servicer=_Empty(response), health=health).start()
    await asyncio.Event().wait()


def main() -> None:
    """Until it is ended: `python -m benchmarks.empty PORT FILE`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))


if __name__ == "__main__":
    main()
