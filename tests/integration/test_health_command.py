"""`extauthz health`, as a probe runs it."""

import asyncio
import json
import os

import pytest
import yaml
from support.certificate_authority import CertificateAuthority
from support.operator import Operator
from support.service import running_service
from support.tls_server import GATEWAY, TlsWorld

pytestmark = pytest.mark.external_service


async def health(*arguments):
    return await Operator().run("health", *arguments)


async def test_a_replica_that_serves_is_healthy(tmp_path, server):
    async with running_service(tmp_path, server) as service:
        asked = await health("--address", f"127.0.0.1:{service.port}")
        assert asked[:2] == (0, "grpc: SERVING\n")
        asked = await health("--config", tmp_path / "extauthz.yaml", "--readiness", "--output", "json")
        assert asked[0] == 0
        found = json.loads(asked[1])
        assert (found["grpc"], found["ready"], found["components"]["catalog"]["ok"]) == ("SERVING", True, True)


async def test_a_replica_without_a_catalog_is_not(tmp_path, server):
    os.mkfifo(tmp_path / "pipe.yaml")
    settings = {"catalog": {"file": "pipe.yaml"}}
    async with running_service(tmp_path, server, settings=settings, wait_for="/healthz") as service:
        asked = await health("--address", f"127.0.0.1:{service.port}")
        assert asked[:2] == (1, "grpc: NOT_SERVING\n")
        asked = await health("--operations", f"127.0.0.1:{service.operations_port}", "--readiness")
        assert asked[0] == 1
        assert "readyz: not ready" in asked[1]
        assert "catalog: failed" in asked[1]


@pytest.mark.parametrize("option", ["--address", "--operations"])
async def test_nobody_who_answers_is_a_status_of_its_own(option):
    asked = await health(option, "127.0.0.1:1")
    assert asked[:2] == (3, "")
    assert "gives no answer" in asked[2]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--readiness", "--address", "127.0.0.1:1"],
        ["--address", "x"],
        ["--operations", "x"],
        ["--operations", "unix:/x"],
        ["--config", "missing.yaml"],
    ],
)
async def test_without_a_place_to_ask_it_is_bad_input(arguments):
    assert (await health(*arguments))[0] == 2


TLS = {"certificate": "tls.crt", "key": "tls.key"}


@pytest.fixture
def world(tmp_path):
    (tmp_path / "replica").mkdir()
    return TlsWorld(tmp_path / "replica")


async def test_the_settings_say_that_it_speaks_tls_and_which_certificate_is_its_own(server, world):
    config = world.folder / "extauthz.yaml"
    async with running_service(world.folder, server, settings={"tls": TLS}):
        assert (await health("--config", config))[:2] == (0, "grpc: SERVING\n")
        assert (await health("--config", config, "--ca", world.authority.ca_file))[:2] == (0, "grpc: SERVING\n")


async def test_a_socket_with_tls_is_asked_by_a_name_of_the_certificate(tmp_path, server, world):
    settings = {"listen": f"unix:{tmp_path}/e.sock", "tls": TLS}
    async with running_service(world.folder, server, settings=settings):
        assert (await health("--config", world.folder / "extauthz.yaml"))[:2] == (0, "grpc: SERVING\n")


async def test_another_certificate_than_that_of_the_settings_is_no_answer(tmp_path, server, world):
    """Of an authority of the same name, and itself in order."""
    config = world.folder / "extauthz.yaml"
    async with running_service(world.folder, server, settings={"tls": TLS | {"reload_seconds": 3600}}):
        (tmp_path / "other").mkdir()
        other = CertificateAuthority(tmp_path / "other")
        world.renew(other)
        status, out, err = await health("--config", config)
        assert (status, out) == (3, "")
        assert "gives no answer" in err
        assert (await health("--config", config, "--ca", other.ca_file))[0] == 3
        assert (await health("--config", config, "--ca", world.authority.ca_file))[0] == 0


async def test_of_a_file_with_a_chain_the_first_certificate_alone_is_trusted(server, world):
    config, chain = world.folder / "extauthz.yaml", world.authority.ca_file.read_bytes()

    def renew():
        (world.folder / "tls.crt").write_bytes(world.renew() + chain)

    renew()
    async with running_service(world.folder, server, settings={"tls": TLS | {"reload_seconds": 3600}}):
        assert (await health("--config", config))[:2] == (0, "grpc: SERVING\n")
        renew()
        # Of the same authority as the one that is shown.
        assert (await health("--config", config))[0] == 3


async def answering(parts):
    """Answers one request with HTTP 200 and JSON in parts, each when the one before was sent; its address."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {sum(map(len, parts))}\r\n\r\n".encode())
        for part in parts:
            await writer.drain()
            writer.write(part)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, "{}:{}".format(*server.sockets[0].getsockname())


@pytest.mark.parametrize(("length", "ends"), [(300_000, 0), (2_000_000, 3)])
async def test_a_page_may_be_long_and_come_in_parts_yet_not_endless(length, ends):
    page = json.dumps({"components": {"catalog": {"ok": True, "detail": "x" * length}}}).encode()
    server, address = await answering([page[:10], page[10:]])
    async with server:
        status, out, _ = await health("--operations", address, "--output", "json")
    assert status == ends
    if ends == 0:
        assert len(json.loads(out)["components"]["catalog"]["detail"]) == length


async def test_with_mutual_tls_it_says_which_certificate_it_needs(tmp_path, server, world):
    tls = TLS | {"client_ca": "authority.pem", "client_names": [GATEWAY]}
    config = world.folder / "extauthz.yaml"
    async with running_service(world.folder, server, settings={"tls": tls}) as service:
        status, out, err = await health("--config", config)
        assert (status, out) == (2, "")
        for told in ("--cert and --key", "authority.pem", GATEWAY, f"--operations 127.0.0.1:{service.operations_port}"):
            assert told in err
        certificate, key = world.authority.certificate("gateway", dns_names=[GATEWAY])
        key_file = tmp_path / "gateway.key"
        key_file.write_bytes(key)
        given = ("--cert", certificate, "--key", key_file)
        asked = await health("--config", config, *given, "--readiness")
        assert asked[0] == 0, asked
        assert asked[1].startswith("grpc: SERVING\nreadyz: ready\n")
        stranger, key = world.authority.certificate("stranger", dns_names=["stranger.example.com"])
        key_file.write_bytes(key)
        asked = await health("--config", config, "--cert", stranger, "--key", key_file)
        assert asked[0] == 3
        assert "PERMISSION_DENIED" in asked[2]


async def test_options_of_tls_that_are_of_no_use_are_bad_input(tmp_path, world):
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump({"catalog": {"file": "c.yaml"}}))
    encrypted = world.folder / "extauthz.yaml"
    encrypted.write_text(yaml.safe_dump({"catalog": {"file": "c.yaml"}, "tls": TLS}))
    ca, key = world.authority.ca_file, world.folder / "tls.key"
    for wrong, said in (
        (("--config", plain, "--ca", ca), "have no `tls`"),
        (("--config", encrypted, "--ca", plain), "has no certificate in PEM"),
        (("--config", encrypted, "--cert", ca), "give both of --cert and --key"),
        (("--config", encrypted, "--cert", ca, "--key", key), "is not the key of"),
        (("--address", "127.0.0.1:1", "--ca", plain), "has no certificate in PEM"),
        (("--address", "127.0.0.1:1", "--ca", tmp_path / "missing"), "missing: No such file or directory"),
        (("--address", "127.0.0.1:1", "--server-name", "x"), "go with --ca"),
    ):
        status, out, err = await health(*wrong)
        assert (status, out) == (2, ""), wrong
        assert said in err
        assert len(err.splitlines()) == 1
