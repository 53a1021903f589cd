"""The gRPC server over real connections."""

import asyncio
import contextlib
import socket
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpclib.client import Channel
from support.check_client import (
    OVERWRITES,
    AuthorizationAsyncStub,
    CheckResponse,
    allowed,
    check_request,
    connected,
    denied,
    headers_of,
)
from support.deciders import Answers, Held, Raises, allow, open_allow

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.server_options import ServerOptions
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE, Answering, AuthorizationServicer
from extauthz.model.errors import Denied, Reason
from extauthz.telemetry.health import Health

pytestmark = OVERWRITES

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN
# attributes { request { http { path: "\xff" } } }: no proto3 string.
NOT_UTF8 = bytes.fromhex("0a07220512032201ff")


def server_of(decider, health, *, address="127.0.0.1:0", budget_seconds=60.0, **options):
    responses = ResponseBuilder(ResponsePolicy())
    servicer = AuthorizationServicer(Answering(decider=decider, responses=responses, budget_seconds=budget_seconds))
    return EnvoyServer(address=address, servicer=servicer, health=health, **options)


def ready_health():
    health = Health(essential={"catalog"})
    health.report("catalog", ok=True)
    return health


@contextlib.asynccontextmanager
async def running(decider, *, health=None, **options):
    """A server and its port; stopped without ado."""
    server = server_of(decider, health or ready_health(), **options)
    port = await server.start()
    try:
        yield server, port
    finally:
        await server.drain(delay_seconds=0, grace_seconds=0)


@contextlib.asynccontextmanager
async def health_client(port):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield HealthStub(channel)


def status_of(response):
    refusal = denied(response)
    assert refusal.status is not None
    return refusal.status.code.value


async def test_a_foreign_client_is_allowed_with_the_backend_jwt():
    decider = Answers(allow())
    async with running(decider) as (_, port), connected(port) as client:
        response = await client.check(check_request(headers={"authorization": "Bearer a"}, extensions={"api": "x"}))
    assert headers_of(allowed(response)) == {"x-jwt-assertion": "aaa.bbb.ccc"}
    [request] = decider.requests
    assert (request.api_id, request.headers.get("authorization")) == ("x", "Bearer a")


async def test_a_foreign_client_is_refused_inside_a_successful_call():
    async with running(Raises(Denied(Reason.TOKEN_EXPIRED))) as (_, port), connected(port) as client:
        assert status_of(await client.check(check_request())) == 401


async def test_headers_that_are_no_text_are_decided_on_like_others():
    decider = Answers(open_allow())
    async with running(decider) as (_, port), connected(port) as client:
        allowed(await client.check(check_request(raw_headers=[("authorization", b"Bearer \xff\x00\x80")])))
    assert decider.requests[0].headers.get("authorization") == "Bearer \xff\x00\x80"


@pytest.mark.parametrize("size", [1_000_000, 8 * 1024 * 1024], ids=["1 MB", "the most that Envoy takes"])
async def test_a_header_of_any_size_that_envoy_takes_is_answered(size):
    decider = Answers(open_allow())
    async with running(decider) as (_, port), connected(port) as client:
        allowed(await client.check(check_request(headers={"authorization": "a" * size})))
    assert len(decider.requests[0].headers.get("authorization")) == size


async def test_a_message_above_the_limit_is_never_allowed():
    options = ServerOptions(max_message_bytes=1000)
    async with running(Answers(open_allow()), options=options) as (_, port), raw_client(port) as check:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await check(bytes(check_request(path="/" + "a" * 1000)))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@contextlib.asynccontextmanager
async def raw_client(port):
    """Sends any bytes, over gRPC's own C library."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: Any = channel.unary_unary(f"/{AUTHORIZATION_SERVICE}/Check")

        async def check(message):
            return CheckResponse.FromString(await call(message))

        yield check


@pytest.mark.parametrize("message", [b"", b"\xff\xff", b"no protobuf at all", NOT_UTF8])
async def test_bytes_that_are_no_check_request_are_refused_inside_a_successful_call(message):
    async with running(Answers(open_allow())) as (_, port), raw_client(port) as check:
        assert status_of(await check(message)) == 400


@pytest.mark.parametrize(
    "decider", [Raises(ValueError("secret")), Raises(asyncio.CancelledError("secret")), Answers(None)]
)
async def test_a_fault_is_refused_inside_a_successful_call(decider):
    async with running(decider) as (_, port), connected(port) as client:
        response = await client.check(check_request())
    assert status_of(response) == 500
    assert "secret" not in repr(response)


async def test_a_decision_that_hangs_is_refused_inside_a_successful_call():
    async with running(Held(open_allow()), budget_seconds=0.01) as (_, port), connected(port) as client:
        response = await client.check(check_request())
    assert status_of(response) == 503
    assert headers_of(denied(response))["retry-after"] == "1"


async def test_an_envoy_that_gives_up_stops_the_decision():
    decider = Held(open_allow())
    async with running(decider) as (_, port), connected(port) as client:
        check = asyncio.create_task(client.check(check_request()))
        await decider.reached.wait()
        check.cancel()
        await decider.cancelled.wait()
    with pytest.raises(asyncio.CancelledError):
        await check


@pytest.mark.parametrize("service", ["", AUTHORIZATION_SERVICE])
async def test_health_follows_readiness(service):
    health = Health(essential={"catalog"})
    async with running(Answers(open_allow()), health=health) as (_, port), health_client(port) as client:
        assert (await client.Check(HealthCheckRequest(service=service))).status == NOT_SERVING
        health.report("catalog", ok=True)
        assert (await client.Check(HealthCheckRequest(service=service))).status == SERVING
        health.report("catalog", ok=False)
        assert (await client.Check(HealthCheckRequest(service=service))).status == NOT_SERVING


async def test_the_health_of_an_unknown_service_is_not_found():
    async with running(Answers(open_allow())) as (_, port), health_client(port) as client:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await client.Check(HealthCheckRequest(service="unknown"))
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_watchers_are_told_of_each_change_until_the_end():
    health = Health(essential={"catalog"})
    async with running(Answers(open_allow()), health=health) as (server, port), health_client(port) as client:
        watch = aiter(client.Watch(HealthCheckRequest(service=AUTHORIZATION_SERVICE)))
        assert (await anext(watch)).status == NOT_SERVING
        health.report("cache", ok=True)  # changes nothing that a watcher could see
        health.report("catalog", ok=True)
        assert (await anext(watch)).status == SERVING
        drained = asyncio.create_task(server.drain(delay_seconds=0, grace_seconds=60))
        assert (await anext(watch)).status == NOT_SERVING
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
        await drained


async def test_a_watcher_of_an_unknown_service_is_told_so_and_kept():
    async with running(Answers(open_allow())) as (server, port), health_client(port) as client:
        watch = aiter(client.Watch(HealthCheckRequest(service="unknown")))
        assert (await anext(watch)).status == SERVICE_UNKNOWN
        drained = asyncio.create_task(server.drain(delay_seconds=0, grace_seconds=60))
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
        await drained


async def test_checks_are_answered_while_the_news_of_the_drain_spreads():
    health = ready_health()
    async with running(Answers(open_allow()), health=health) as (server, port), health_client(port) as client:
        drained = asyncio.create_task(server.drain(delay_seconds=3600, grace_seconds=60))
        watch = aiter(client.Watch(HealthCheckRequest()))
        while (await anext(watch)).status != NOT_SERVING:
            pass
        assert not health.ready
        async with connected(port) as late:
            allowed(await late.check(check_request()))
        drained.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drained


async def test_a_drain_finishes_what_is_in_flight_and_takes_nothing_new():
    decider = Held(allow())
    # grpclib drops its calls at the GOAWAY; gRPC's own client keeps to RFC 9113 §6.8.
    async with running(decider) as (server, port), raw_client(port) as client:
        check = asyncio.create_task(client(bytes(check_request())))
        await decider.reached.wait()
        drained = asyncio.create_task(server.drain(delay_seconds=0, grace_seconds=3600))
        await refused(port)
        assert not drained.done()
        decider.release.set()
        allowed(await check)
        await drained


async def refused(port):
    """Returns when nobody accepts connections there any more."""
    with contextlib.suppress(ConnectionRefusedError):
        while True:
            # One that was still waiting to be accepted is reset; the next is refused.
            with contextlib.suppress(ConnectionResetError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()


async def test_a_drain_does_not_wait_longer_than_it_may():
    decider = Held(allow())
    async with running(decider) as (server, port), raw_client(port) as client:
        check = asyncio.create_task(client(bytes(check_request())))
        await decider.reached.wait()
        await server.drain(delay_seconds=0, grace_seconds=0.01)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await check
    assert error.value.code() is not grpc.StatusCode.OK
    assert decider.cancelled.is_set()


async def test_a_server_that_does_not_run_has_nothing_to_drain():
    server = server_of(Answers(open_allow()), ready_health())
    await server.drain(delay_seconds=3600, grace_seconds=3600)


async def test_a_port_in_use_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await server_of(Answers(open_allow()), Health(), address=f"127.0.0.1:{port}").start()


async def test_two_servers_do_not_share_a_port():
    async with running(Answers(open_allow())) as (_, port):
        with pytest.raises(OSError, match="cannot listen"):
            await server_of(Answers(open_allow()), Health(), address=f"127.0.0.1:{port}").start()


async def test_a_unix_socket_is_served_again_after_a_crash_left_it(tmp_path):
    path = tmp_path / "extauthz.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    async with running(Answers(allow()), address=f"unix:{path}") as (_, port), Channel(path=str(path)) as channel:
        assert port == 0
        allowed(await AuthorizationAsyncStub(channel).check(check_request()))
    assert not path.exists()


async def test_a_unix_socket_in_use_is_not_taken_over(tmp_path):
    address = f"unix:{tmp_path / 'extauthz.sock'}"
    async with running(Answers(allow()), address=address):
        with pytest.raises(OSError, match="another process listens there"):
            await server_of(Answers(open_allow()), Health(), address=address).start()
