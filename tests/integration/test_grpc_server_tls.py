"""TLS and mutual TLS of the gRPC server, in real handshakes."""

import asyncio
import ssl
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from support.certificate_authority import CertificateAuthority
from support.deciders import Answers, Held, open_allow
from support.tls_server import GATEWAY, GATEWAY_URI, TlsWorld, channel, running_tls

from extauthz.envoy.server_options import ServerOptions
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE
from extauthz.envoy.tls_certificates import TLS_COMPONENT
from extauthz.envoy.tls_files import TlsFiles
from extauthz.envoy_client.client import ClientTls, EnvoyClient
from extauthz.envoy_client.sample_request import SampleRequest, Target
from extauthz.model.errors import Unavailable

CHECK = f"/{AUTHORIZATION_SERVICE}/Check"
REQUEST = SampleRequest(target=Target.parse("https://api.example.com/petstore/v1/pets")).check_request()


@pytest.fixture
def world(tmp_path):
    return TlsWorld(tmp_path)


def call_of(connection, method) -> Any:
    """Of any bytes."""
    return connection.unary_unary(method)


async def asked(port, tls):
    """The status of a Check's call."""
    async with channel(port, tls) as connection:
        try:
            await call_of(connection, CHECK)(REQUEST.SerializeToString(), timeout=30)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


async def test_an_envoy_with_the_right_certificate_is_answered(world):
    async with running_tls(world) as (_, port):
        for names in ({"dns_names": [GATEWAY]}, {"uris": [GATEWAY_URI]}, {"dns_names": ["other.example", GATEWAY]}):
            assert await asked(port, world.client(**names)) is grpc.StatusCode.OK


async def test_without_a_client_authority_everybody_may_call_over_tls(world):
    files = TlsFiles(certificate=world.files.certificate, key=world.files.key)
    anybody = ClientTls(authorities=world.authority.ca_file.read_bytes())
    async with running_tls(world, world.certificates(files), client_names=frozenset()) as (_, port):
        assert await asked(port, anybody) is grpc.StatusCode.OK
        assert await asked(port, None) is grpc.StatusCode.UNAVAILABLE


async def test_who_speaks_in_the_clear_or_shows_no_right_certificate_gets_no_connection(world, tmp_path):
    (tmp_path / "other").mkdir()
    stranger = CertificateAuthority(tmp_path / "other", "stranger")
    decider = Answers(open_allow())
    async with running_tls(world, decider=decider) as (_, port):
        for tls in (
            None,
            ClientTls(authorities=world.authority.ca_file.read_bytes()),
            world.client("envoy", stranger, dns_names=[GATEWAY]),
        ):
            assert await asked(port, tls) is grpc.StatusCode.UNAVAILABLE
        assert await asked(port, world.gateway()) is grpc.StatusCode.OK
    assert len(decider.requests) == 1


async def test_a_server_of_another_authority_is_not_asked(world, tmp_path):
    (tmp_path / "other").mkdir()
    world.renew(CertificateAuthority(tmp_path / "other", "stranger"))
    async with running_tls(world) as (_, port):
        assert await asked(port, world.gateway()) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "names",
    [
        {"dns_names": ["another.example.com"]},
        {"dns_names": [f"x.{GATEWAY}", f"{GATEWAY}.evil.example", GATEWAY.upper(), "*.example.com"]},
        {"uris": [f"{GATEWAY_URI}/x", "spiffe://example.org/ns/gateway"]},
        {"name": GATEWAY},
        {"name": GATEWAY, "unnamed": True},
    ],
    ids=["another", "similar", "a similar URI", "the common name beside others", "the common name alone"],
)
async def test_a_client_with_another_name_gets_a_failed_call(world, names):
    decider = Answers(open_allow())
    async with running_tls(world, decider=decider) as (_, port):
        assert await asked(port, world.client(**names)) is grpc.StatusCode.PERMISSION_DENIED
    assert decider.requests == []


async def test_every_service_is_for_known_clients_only(world):
    async with running_tls(world, options=ServerOptions(reflection=True)) as (_, port):
        async with channel(port, world.client(dns_names=["another.example.com"])) as connection:
            for call in (
                HealthStub(connection).Check(HealthCheckRequest()),
                HealthStub(connection).Watch(HealthCheckRequest()).read(),
                ServerReflectionStub(connection).ServerReflectionInfo(iter([ServerReflectionRequest()])).read(),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await call
                assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
        async with channel(port, world.gateway()) as connection:
            watch = aiter(HealthStub(connection).Watch(HealthCheckRequest()))
            assert (await anext(watch)).status == HealthCheckResponse.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call_of(connection, "/no.such.Service/Method")(b"")
            assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_new_certificate_is_shown_without_a_restart_and_old_connections_live_on(world):
    certificates = world.certificates()
    async with running_tls(world, certificates) as (_, port), channel(port, world.gateway()) as old:
        before = await world.shown(port)
        await call_of(old, CHECK)(REQUEST.SerializeToString())
        renewed = world.renew()
        assert await world.shown(port) == before  # nobody has looked yet
        await certificates.refresh()
        assert await world.shown(port) == renewed != before
        await call_of(old, CHECK)(REQUEST.SerializeToString())
        assert await asked(port, world.gateway()) is grpc.StatusCode.OK


async def test_files_that_cannot_be_used_leave_the_old_certificate(world):
    certificates = world.certificates()
    async with running_tls(world, certificates) as (_, port):
        before = await world.shown(port)
        world.files.certificate.write_bytes(b"no certificate")
        await certificates.refresh()
        assert await world.shown(port) == before
        assert await asked(port, world.gateway()) is grpc.StatusCode.OK
        assert not world.health.components[TLS_COMPONENT].ok
        assert world.health.ready
        renewed = world.renew()
        await certificates.refresh()
        assert await world.shown(port) == renewed
        assert world.health.components[TLS_COMPONENT].ok


async def test_clients_of_a_new_authority_are_known_without_a_restart_and_those_of_the_old_are_not(world, tmp_path):
    (tmp_path / "other").mkdir()
    following = CertificateAuthority(tmp_path / "other", "following")
    certificates = world.certificates()
    later, earlier = world.client("later", following, dns_names=[GATEWAY]), world.gateway()
    async with running_tls(world, certificates) as (_, port):
        assert await asked(port, later) is grpc.StatusCode.UNAVAILABLE
        world.authority.ca_file.write_bytes(following.ca_file.read_bytes())
        await certificates.refresh()
        assert await asked(port, later) is grpc.StatusCode.OK
        assert await asked(port, earlier) is grpc.StatusCode.UNAVAILABLE


async def test_the_server_looks_at_its_files_by_itself_until_it_stops(world):
    async with running_tls(world, world.certificates(reload_seconds=0)) as (server, port):
        renewed = world.renew()
        while await world.shown(port) != renewed:
            pass
        assert following()
        await server.drain(delay_seconds=0, grace_seconds=0)
        assert not following()


def following():
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return [each for each in coroutines if getattr(each, "__qualname__", "") == "ServerCertificates.follow"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "taken"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
async def test_nothing_older_than_tls_1_2_is_spoken(world, version, taken):
    files = TlsFiles(certificate=world.files.certificate, key=world.files.key)
    context = ssl.create_default_context(cafile=str(world.authority.ca_file))
    context.set_ciphers("ALL:@SECLEVEL=0")  # else it is the client that refuses
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    async with running_tls(world, world.certificates(files), client_names=frozenset()) as (_, port):
        connecting = asyncio.open_connection("127.0.0.1", port, ssl=context)
        if taken:
            _, writer = await connecting
            assert writer.get_extra_info("ssl_object").version() == version.name.replace("_", ".")
            writer.transport.abort()
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await connecting


async def test_a_drain_finishes_what_is_in_flight_over_tls(world):
    decider = Held(open_allow())
    async with running_tls(world, decider=decider) as (server, port), channel(port, world.gateway()) as connection:
        check = call_of(connection, CHECK)(REQUEST.SerializeToString())
        await decider.reached.wait()
        drained = asyncio.create_task(server.drain(delay_seconds=0, grace_seconds=3600))
        while (await asked_health(port, world)) == "SERVING":
            pass
        assert not drained.done()
        decider.release.set()
        await check
        await drained


async def asked_health(port, world):
    try:
        async with EnvoyClient(f"127.0.0.1:{port}", timeout_seconds=30, tls=world.gateway()) as client:
            return await client.health()
    except Unavailable:
        return "gone"


async def test_our_own_client_speaks_mutual_tls(world):
    async with running_tls(world) as (_, port):
        async with EnvoyClient(f"localhost:{port}", timeout_seconds=30, tls=world.gateway()) as client:
            assert await client.health(AUTHORIZATION_SERVICE) == "SERVING"
            assert (await client.check(REQUEST)).status.code == 0
        stranger = world.client(dns_names=["another.example.com"])
        async with EnvoyClient(f"127.0.0.1:{port}", timeout_seconds=30, tls=stranger) as client:
            with pytest.raises(Unavailable, match="PERMISSION_DENIED"):
                await client.health()
