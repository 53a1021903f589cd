"""What a connection to the gRPC server may cost, seen in the frames of HTTP/2."""

import asyncio
import contextlib
import ssl
import stat
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from hyperframe.frame import SettingsFrame
from support.deciders import Answers, Held, open_allow
from support.http2_client import http2_client
from support.tls_server import TlsWorld, channel, running_tls

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer
from extauthz.envoy.server_options import ServerOptions
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE, Answering, AuthorizationServicer
from extauthz.envoy.tls_files import TlsFiles
from extauthz.envoy_client.sample_request import SampleRequest, Target
from extauthz.telemetry.health import Health

CHECK = f"/{AUTHORIZATION_SERVICE}/Check"
REQUEST = SampleRequest(target=Target.parse("https://api.example.com/a")).check_request().SerializeToString()


def server_of(decider, options, address="127.0.0.1:0"):
    health = Health(essential={"catalog"})
    health.report("catalog", ok=True)
    servicer = AuthorizationServicer(
        Answering(decider=decider, responses=ResponseBuilder(ResponsePolicy()), budget_seconds=60)
    )
    return EnvoyServer(address=address, servicer=servicer, health=health, options=options)


@contextlib.asynccontextmanager
async def running(decider=None, address="127.0.0.1:0", **options):
    server = server_of(decider or Answers(open_allow()), ServerOptions(**options), address)
    port = await server.start()
    try:
        yield server, port
    finally:
        await server.drain(delay_seconds=0, grace_seconds=0)


async def test_an_old_connection_is_told_to_go_and_what_is_in_flight_on_it_is_finished():
    decider = Held(open_allow())
    async with running(decider, max_connection_age_seconds=0.1) as (_, port), http2_client(port) as client:
        stream = client.call(CHECK, REQUEST)
        await decider.reached.wait()
        assert await client.goaway() == 0
        assert not decider.cancelled.is_set()
        decider.release.set()
        assert await client.grpc_status(stream) == "0"
        await client.closed()


async def test_after_the_grace_an_old_connection_is_closed_whatever_is_in_flight():
    decider = Held(open_allow())
    ages = {"max_connection_age_seconds": 0.1, "max_connection_age_grace_seconds": 0.1}
    async with running(decider, **ages) as (_, port), http2_client(port) as client:
        client.call(CHECK, REQUEST)
        await client.closed()
        await decider.cancelled.wait()


async def test_an_old_connection_is_told_to_go_over_tls(tmp_path):
    world = TlsWorld(tmp_path)
    files = TlsFiles(certificate=world.files.certificate, key=world.files.key)
    context = ssl.create_default_context(cafile=str(world.authority.ca_file))
    context.set_alpn_protocols(["h2"])
    options = ServerOptions(max_connection_age_seconds=0.1)
    async with (
        running_tls(world, world.certificates(files), client_names=frozenset(), options=options) as (_, port),
        http2_client(port, context) as client,
    ):
        assert await client.goaway() == 0


async def test_a_stop_says_so_on_each_connection_and_finishes_what_is_in_flight():
    decider = Held(open_allow())
    async with running(decider) as (server, port), http2_client(port) as idle, http2_client(port) as busy:
        stream = busy.call(CHECK, REQUEST)
        await decider.reached.wait()
        drained = asyncio.create_task(server.drain(delay_seconds=0, grace_seconds=3600))
        assert await idle.goaway() == 0
        await idle.closed()
        assert await busy.goaway() == 0
        decider.release.set()
        assert await busy.grpc_status(stream) == "0"
        await busy.closed()
        await drained


async def test_clients_are_told_how_many_calls_and_how_much_metadata_one_connection_takes():
    async with running(max_concurrent_streams=7, max_metadata_bytes=20_000) as (_, port), http2_client(port) as client:
        settings = await client.settings()
        assert settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == 7
        assert settings[SettingsFrame.MAX_HEADER_LIST_SIZE] == 20_000


@pytest.mark.parametrize(
    ("size", "status"), [(60 * 1024, grpc.StatusCode.OK), (200_000, grpc.StatusCode.RESOURCE_EXHAUSTED)]
)
async def test_metadata_of_the_size_that_envoy_takes_from_clients_is_answered(size, status):
    async with running() as (_, port), channel(port, None) as connection:
        check: Any = connection.unary_unary(CHECK)
        call = check(REQUEST, metadata=[("tracestate", "a" * size)])
        with contextlib.suppress(grpc.aio.AioRpcError):
            await call
        assert await call.code() is status


@pytest.mark.parametrize("on", [True, False])
async def test_reflection_tells_of_check_where_it_is_on(on):
    async with running(reflection=on) as (_, port), channel(port, None) as connection:
        asking = ServerReflectionStub(connection).ServerReflectionInfo
        if not on:
            # Nothing is asked: a question could cross the answer.
            assert await asking().code() is grpc.StatusCode.UNIMPLEMENTED
            return
        asked = iter(
            [
                ServerReflectionRequest(list_services=""),
                ServerReflectionRequest(file_containing_symbol=AUTHORIZATION_SERVICE),
            ]
        )
        answers = asking(asked)
        services = {each.name for each in (await answers.read()).list_services_response.service}
        assert services == {
            AUTHORIZATION_SERVICE,
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        files = (await answers.read()).file_descriptor_response.file_descriptor_proto
        assert any(b"CheckRequest" in each for each in files)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
async def test_a_socket_has_the_permissions_that_were_asked_for(tmp_path, mode):
    path = tmp_path / "extauthz.sock"
    async with running(address=f"unix:{path}", socket_mode=mode):
        assert stat.S_IMODE(path.stat().st_mode) == mode
