"""`extauthz serve` with mutual TLS: our own commands, an Envoy set up by `envoy-config`, and a new certificate."""

import pytest
import yaml
from deploy.gateway import GATEWAY_NAME, at_home, furnish
from support.envoy import running_echo, running_envoy, send
from support.operator import Operator
from support.service import running_service
from support.tls_server import TlsWorld

from extauthz.cli.demo.envoy_bootstrap import connection_manager

pytestmark = pytest.mark.external_service

TLS = {
    "certificate": "tls.crt",
    "key": "tls.key",
    "client_ca": "authority.pem",
    "client_names": [GATEWAY_NAME],
    "reload_seconds": 0.05,
}


@pytest.fixture
def world(tmp_path):
    (tmp_path / "replica").mkdir()
    return TlsWorld(tmp_path / "replica")


def options(folder, authority, **names):
    """Of our commands, for a client with these names."""
    certificate, key = authority.certificate("client", **names)
    key_file = folder / "client.key"
    key_file.write_bytes(key)
    return "--ca", authority.ca_file, "--cert", certificate, "--key", key_file


async def test_our_commands_speak_mutual_tls(tmp_path, server, world):
    operator = Operator()
    async with running_service(world.folder, server, settings={"tls": TLS}) as service:
        address = ("--address", f"127.0.0.1:{service.port}")
        known = options(tmp_path, world.authority, dns_names=[GATEWAY_NAME])
        assert (await operator.run("health", *address, *known))[:2] == (0, "grpc: SERVING\n")
        assert (await operator.run("health", *address))[0] == 3
        assert (await operator.run("health", *address, "--ca", world.authority.ca_file))[0] == 3
        url = ("--url", "https://api.example.com/petstore/v1/pets")
        checked = await operator.run("check", *url, *address, *known)
        assert "900902" in checked[1], checked
        stranger = options(tmp_path, world.authority, dns_names=["another.example.com"])
        refused = await operator.run("health", *address, *stranger)
        assert refused[0] == 3
        assert "PERMISSION_DENIED" in refused[2]
        assert "another.example.com" in await logged(service, "client_refused")
        _, page = await service.operations("/readyz")
        assert page["components"]["tls"]["ok"]


async def test_settings_whose_certificate_cannot_be_used_start_nothing(server, world):
    (world.folder / "tls.key").write_bytes(b"")
    (world.folder / "extauthz.yaml").write_text(yaml.safe_dump({"catalog": {"file": "c.yaml"}, "tls": TLS}))
    status, _, said = await Operator().run_apart("serve", "--config", world.folder / "extauthz.yaml")
    assert status == 2
    assert "tls.key has no private key in PEM" in said


@pytest.mark.through_envoy
async def test_an_envoy_checks_over_mutual_tls_and_through_a_new_certificate(tmp_path, server, world):
    etc = tmp_path / "etc-envoy"
    furnish(etc, world.authority)
    config = world.folder / "extauthz.yaml"
    async with running_service(world.folder, server, settings={"tls": TLS}) as service, running_echo(tmp_path) as echo:
        address = f"127.0.0.1:{service.port}"
        _, printed, _ = await Operator().run("envoy-config", "--config", config, "--address", address)
        parts = yaml.safe_load(printed)
        (ours,) = parts["clusters"]

        def change(bootstrap):
            clusters = bootstrap["static_resources"]["clusters"]
            bootstrap["static_resources"]["clusters"] = [
                *(each for each in clusters if each["name"] != "extauthz"),
                at_home(ours, etc),
            ]
            manager = connection_manager(bootstrap)
            manager["http_filters"] = [*parts["http_filters"], manager["http_filters"][-1]]

        async with running_envoy(tmp_path, authorization_port=service.port, upstream_port=echo, change=change) as envoy:
            refused = await eventually(envoy, 401)
            assert "900902" in refused.body.decode()
            renewed = world.renew()
            while await world.shown(service.port) != renewed:
                pass
            assert (await send(envoy.port, target="/petstore/v1/pets")).status == 401
            await logged(service, "tls_files_changed")


@pytest.mark.through_envoy
async def test_no_check_is_lost_when_connections_are_told_to_go(tmp_path, server, world):
    settings = {"grpc": {"max_connection_age_seconds": 1}}
    async with (
        running_service(world.folder, server, settings=settings) as service,
        running_echo(tmp_path) as echo,
        running_envoy(tmp_path, authorization_port=service.port, upstream_port=echo) as envoy,
    ):
        await eventually(envoy, 401)
        while await envoy.counter("cluster.extauthz.upstream_cx_close_notify") < 2:
            assert (await send(envoy.port, target="/petstore/v1/pets")).status == 401


async def logged(service, event):
    """All that was printed, once this event is among it: lines come a little later."""
    while event not in service.logged():
        await service.operations("/healthz")
    return service.logged()


async def eventually(envoy, status):
    """The answer with this status; until Envoy's first health check there is none."""
    while True:
        response = await send(envoy.port, target="/petstore/v1/pets")
        if response.status == status:
            return response
