"""A stand-in for extauthz: an ext_authz gRPC server that gives the answer a test sets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2
from google.protobuf import wrappers_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as aio_health

SERVICE = "envoy.service.auth.v3.Authorization"

Answer = Callable[["grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[bytes]]


class AllowServer:
    """Answers every Check with `answer`, which a test may replace; keeps the requests that it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answer: Answer = always(allow())
        self.requests: list[external_auth_pb2.CheckRequest] = []

    async def check(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        self.requests.append(external_auth_pb2.CheckRequest.FromString(request))
        return await self.answer(context)


@contextlib.asynccontextmanager
async def running_allow_server() -> AsyncIterator[AllowServer]:
    """The server on a loopback port, with the health service that Envoy asks."""
    transport = grpc.aio.server()
    server = AllowServer(transport.add_insecure_port("127.0.0.1:0"))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(server.check)
    transport.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Check": method}),))
    health = aio_health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, transport)
    await health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    await transport.start()
    try:
        yield server
    finally:
        await transport.stop(grace=None)


def allow(*headers: base_pb2.HeaderValueOption, remove: Iterable[str] = ()) -> bytes:
    """An OK answer that sets and removes headers of the upstream request."""
    response = external_auth_pb2.CheckResponse()
    response.status.code = 0
    response.ok_response.headers.extend(headers)
    response.ok_response.headers_to_remove.extend(remove)
    return bytes(response.SerializeToString())


def header(
    name: str, value: str, *, append: bool | None = None, action: str | None = None
) -> base_pb2.HeaderValueOption:
    """A header of an answer; what is None stays unset on the wire."""
    option = base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=name, value=value))
    if append is not None:
        option.append.CopyFrom(wrappers_pb2.BoolValue(value=append))
    if action is not None:
        option.append_action = base_pb2.HeaderValueOption.HeaderAppendAction.Value(action)
    return option


def always(response: bytes) -> Answer:
    """The same answer each time."""

    async def answer(_context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        return response

    return answer


async def failing(context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    """No answer but the RPC error that an uncaught exception makes."""
    await context.abort(grpc.StatusCode.UNKNOWN, "no answer")
    raise AssertionError("abort raises")


async def hanging(_context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    """No answer at all, until the caller gives up."""
    await asyncio.Event().wait()
    return b""
