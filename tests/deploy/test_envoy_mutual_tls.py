"""`deploy/envoy/mutual-tls.yaml`: both ends show certificates, and each looks at the other's name."""

from contextlib import asynccontextmanager

import grpc
import pytest
from deploy.gateway import GATEWAY_NAME, REPLICA_NAME, at_home, furnish
from support.allow_server import SERVICE, AllowServer
from support.authorization_server import AuthorizationServer
from support.certificate_authority import CertificateAuthority
from support.envoy import ROOT, running_echo, running_envoy, send
from support.service import running_service

from extauthz.cli.demo.envoy_bootstrap import cluster, load

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]


@pytest.fixture
def authority(tmp_path):
    (tmp_path / "authority").mkdir()
    return CertificateAuthority(tmp_path / "authority")


@asynccontextmanager
async def running_tls_allow_server(authority, name):
    """Allows whatever it is asked by somebody with a certificate of the authority; has no health service."""
    certificate, key = authority.certificate(name, dns_names=[name])
    credentials = grpc.ssl_server_credentials(
        [(key, certificate.read_bytes())], authority.ca_file.read_bytes(), require_client_auth=True
    )
    transport = grpc.aio.server()
    server = AllowServer(transport.add_secure_port("127.0.0.1:0", credentials))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(server.check)
    transport.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Check": method}),))
    await transport.start()
    try:
        yield server
    finally:
        await transport.stop(grace=None)


@asynccontextmanager
async def gateway(folder, authority, port, *, health_checks=True):
    """The Envoy, and an upstream behind it."""
    furnish(folder / "etc-envoy", authority)

    def settle(bootstrap):
        bootstrap |= at_home(bootstrap, folder / "etc-envoy")
        if not health_checks:
            del cluster(bootstrap, "extauthz")["health_checks"]

    async with (
        running_echo(folder) as echo,
        running_envoy(
            folder, authorization_port=port, upstream_port=echo, bootstrap_file="mutual-tls.yaml", change=settle
        ) as envoy,
    ):
        yield envoy


async def test_checks_go_over_mutual_tls(tmp_path, authority):
    async with (
        running_tls_allow_server(authority, REPLICA_NAME) as replica,
        gateway(tmp_path, authority, replica.port, health_checks=False) as envoy,
    ):
        response = await send(envoy.port)
    assert response.status == 200
    assert len(replica.requests) == 1


async def test_a_replica_of_another_name_is_not_believed(tmp_path, authority):
    """It allows everything, and has a certificate of the right authority."""
    async with (
        running_tls_allow_server(authority, "other.example.com") as replica,
        gateway(tmp_path, authority, replica.port, health_checks=False) as envoy,
    ):
        response = await send(envoy.port)
    assert response.status == 503
    assert replica.requests == []


async def test_a_replica_of_another_authority_is_not_believed(tmp_path, authority):
    (tmp_path / "other").mkdir()
    stranger = CertificateAuthority(tmp_path / "other", "other")
    async with (
        running_tls_allow_server(stranger, REPLICA_NAME) as replica,
        gateway(tmp_path, authority, replica.port, health_checks=False) as envoy,
    ):
        response = await send(envoy.port)
    assert response.status == 503
    assert replica.requests == []


async def test_extauthz_is_asked_for_decisions_and_for_its_health(tmp_path, authority):
    certificate, key = authority.certificate("extauthz", dns_names=[REPLICA_NAME])
    certificate.with_suffix(".key").write_bytes(key)
    settings = {
        "tls": {
            "certificate": str(certificate),
            "key": str(certificate.with_suffix(".key")),
            "client_ca": str(authority.ca_file),
            "client_names": [GATEWAY_NAME],
        }
    }
    async with (
        AuthorizationServer() as issuer,
        running_service(tmp_path / "replica", issuer, settings=settings) as replica,
        gateway(tmp_path, authority, replica.port) as envoy,
    ):
        allowed = await send(envoy.port, target="/petstore/v1/about")
        refused = await send(envoy.port, target="/petstore/v1/pets")
        while not await envoy.counter("cluster.extauthz.health_check.success"):
            await send(envoy.port, target="/petstore/v1/about")
    assert (allowed.status, refused.status) == (200, 401)


def test_the_transport_socket_is_all_that_it_adds():
    plain, secure = (load(ROOT / "deploy/envoy" / name) for name in ("envoy.yaml", "mutual-tls.yaml"))
    assert cluster(secure, "extauthz").pop("transport_socket")
    assert secure == plain
