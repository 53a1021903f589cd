"""TLS towards Redis, with a certificate of ours, through an Envoy that asks for one."""

import asyncio
import contextlib
import os
import ssl
import sys

import pytest
import yaml
from support.certificate_authority import CertificateAuthority
from support.redis_servers import patient
from support.redis_tls import tls_proxy
from support.valkey import ValkeyServer

from extauthz.model.errors import Unavailable
from extauthz.oauth2.tls import client_tls
from extauthz.redis_client.options import ClusterServers, SentinelServers
from extauthz.redis_client.server import RedisServer

pytestmark = pytest.mark.external_service


@pytest.fixture
async def proxy(valkey, tmp_path):
    async with tls_proxy(tmp_path, [valkey.port]) as running:
        yield running


@contextlib.asynccontextmanager
async def client(servers, **options):
    server = RedisServer(patient(servers, **options), component="the tests")
    try:
        yield server
    finally:
        await server.close()


async def test_with_a_certificate_of_the_authority_commands_are_answered(proxy):
    async with client(proxy.url(), tls=proxy.client()) as server:
        assert await server.execute(b"SET", b"k", b"v" * 100_000) == b"OK"
        assert await asyncio.gather(*(server.execute(b"GET", b"k") for _ in range(50))) == [b"v" * 100_000] * 50


async def test_without_a_certificate_nobody_is_let_in(proxy):
    async with client(proxy.url(), tls=client_tls(str(proxy.authority.ca_file))) as server:
        with pytest.raises(Unavailable):
            await server.execute(b"PING")


async def test_a_certificate_of_another_authority_opens_nothing(proxy, tmp_path):
    stranger = CertificateAuthority(tmp_path, "stranger")
    certificate, key = stranger.certificate("extauthz")
    context = ssl.create_default_context(cafile=str(proxy.authority.ca_file))
    key_file = certificate.with_suffix(".key")
    key_file.write_bytes(key)
    context.load_cert_chain(certificate, key_file)
    async with client(proxy.url(), tls=context) as server:
        with pytest.raises(Unavailable):
            await server.execute(b"PING")


async def test_a_server_of_another_authority_is_not_talked_to(proxy, tmp_path):
    for tls in (client_tls(str(CertificateAuthority(tmp_path, "another").ca_file)), None):
        async with client(proxy.url(), tls=tls) as server:
            with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                await server.execute(b"AUTH", b"secret")


async def test_a_server_whose_name_is_another_is_not_talked_to(proxy):
    """The certificate is for 127.0.0.1."""
    async with client(proxy.url().replace("127.0.0.1", "localhost"), tls=proxy.client()) as server:
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            await server.execute(b"PING")


async def test_the_nodes_of_a_cluster_are_reached_with_tls(tmp_path):
    async with ValkeyServer("--cluster-enabled", "yes") as node, tls_proxy(tmp_path, [node.port]) as proxy:
        async with client(node.url) as operator:
            await operator.execute(b"CONFIG", b"SET", b"cluster-announce-port", proxy.ports[0])
            await operator.execute(b"CLUSTER", b"ADDSLOTSRANGE", 0, 16383)
        nodes = ClusterServers(nodes=[("127.0.0.1", proxy.ports[0])])
        async with client(nodes, tls=proxy.client()) as server:
            assert await server.execute(b"SET", b"k", b"v") == b"OK"
        async with client(nodes, timeout_seconds=0.5) as plain:
            with pytest.raises(Unavailable):
                await plain.execute(b"GET", b"k")


async def test_sentinels_and_their_master_are_reached_with_tls(valkey, tmp_path):
    """The sentinel knows the master by its address with TLS, which it could not use itself."""
    async with (
        ValkeyServer("--sentinel", config="") as sentinel,
        tls_proxy(tmp_path, [valkey.port, sentinel.port]) as proxy,
    ):
        async with client(sentinel.url) as operator:
            await operator.execute(b"SENTINEL", b"MONITOR", b"m", b"127.0.0.1", proxy.ports[0], 1)
        sentinels = SentinelServers(master="m", nodes=[("127.0.0.1", proxy.ports[1])])
        async with client(sentinels, tls=proxy.client()) as server:
            assert await server.execute(b"SET", b"k", b"v") == b"OK"
        async with client(sentinels, tls=client_tls(str(proxy.authority.ca_file)), timeout_seconds=0.5) as nobody:
            with pytest.raises(Unavailable, match="no sentinel"):
                await nobody.execute(b"GET", b"k")


async def test_the_command_line_uses_the_certificate_of_the_settings(proxy, tmp_path):
    certificate, key = proxy.authority.certificate("operator")
    tls = {"ca_file": proxy.authority.ca_file.name, "certificate_file": certificate.name, "key": "client-key"}
    settings = {
        "catalog": {"file": "catalog.yaml"},
        "secrets": {
            "revocations": {"env": "REVOCATIONS"},
            "client-key": {"env": "CLIENT_KEY"},
            "other": {"env": "NOT_SET_HERE"},
        },
        "revocation": {"backend": "redis", "secret": ["revocations"], "redis": {"url": proxy.url(), "tls": tls}},
    }
    config = tmp_path / "extauthz.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extauthz", "revoke", "--config", str(config), "--initialize"),
        env=os.environ | {"REVOCATIONS": "r" * 32, "CLIENT_KEY": key.decode()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"initialised: replicas are ready to start\n")
