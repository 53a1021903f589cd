"""What `extauthz envoy-config` prints, in a real Envoy."""

import pytest
import yaml
from deploy.gateway import at_home, furnish
from support.allow_server import running_allow_server
from support.catalogs import api, catalog_document, text_of
from support.certificate_authority import CertificateAuthority
from support.envoy import ensure_accepted, running_echo, running_envoy, send
from typer.testing import CliRunner

from extauthz.cli.application import application
from extauthz.cli.demo.envoy_bootstrap import connection_manager, load, write

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]
SETTINGS = {
    "catalog": {"file": "catalog.yaml"},
    "api_keys": {"secret": ["pepper"]},
    "dpop": {},
    "upstream_headers": {"X-Caller-App": {"attribute": "application"}},
    "secrets": {"pepper": {"env": "PEPPER"}},
}


@pytest.fixture
def parts(tmp_path):
    def printed(*options, **settings):
        (tmp_path / "extauthz.yaml").write_text(yaml.safe_dump(SETTINGS | settings))
        apis = [api(security={"api_key": {"header": "X-Api-Key"}})]
        (tmp_path / "catalog.yaml").write_text(text_of(catalog_document(apis=apis)))
        arguments = ["envoy-config", "--config", str(tmp_path / "extauthz.yaml"), *options]
        result = CliRunner().invoke(application, arguments)
        assert result.exit_code == 0, result.output
        return yaml.safe_load(result.stdout)

    return printed


def put(parts):
    """The parts where their comments say they go, in the place of those of our own bootstrap."""

    def change(bootstrap):
        bootstrap["layered_runtime"] = parts["layered_runtime"]
        manager = connection_manager(bootstrap)
        manager.update(parts["http_connection_manager"])
        *_, router = manager["http_filters"]
        manager["http_filters"] = [*parts["http_filters"], router]
        manager["route_config"]["virtual_hosts"][0]["routes"] = parts["routes"]
        clusters = bootstrap["static_resources"]["clusters"]
        others = [each for each in clusters if each["name"] != "extauthz"]
        bootstrap["static_resources"]["clusters"] = [*others, *parts["clusters"]]

    return change


TLS = {"certificate": "tls.crt", "key": "tls.key"}


@pytest.mark.parametrize(
    "settings",
    [{}, {"tls": TLS}, {"tls": TLS | {"client_ca": "ca.crt", "client_names": ["gateway.example.com"]}}],
    ids=["in the clear", "TLS", "mutual TLS"],
)
@pytest.mark.parametrize("address", ["127.0.0.1:9191", "extauthz.example:9191", "unix:/run/extauthz.sock"])
async def test_envoy_accepts_the_parts(tmp_path, parts, address, settings):
    furnish(tmp_path / "etc-envoy", CertificateAuthority(tmp_path))
    bootstrap = load()
    put(parts("--address", address, **settings))(bootstrap)
    bootstrap = at_home(bootstrap, tmp_path / "etc-envoy")
    await ensure_accepted(write(bootstrap, tmp_path / "envoy.yaml"))


async def test_requests_are_checked_with_the_headers_that_are_read_and_routes_can_name_apis(tmp_path, parts):
    async with (
        running_echo(tmp_path) as echo,
        running_allow_server() as authorization,
        running_envoy(
            tmp_path,
            authorization_port=authorization.port,
            upstream_port=echo,
            change=put(parts("--address", f"127.0.0.1:{authorization.port}")),
        ) as envoy,
    ):
        sent = [("Authorization", "Bearer a"), ("X-Api-Key", "k"), ("Cookie", "c"), ("X.Caller.App", "forged")]
        response = await send(envoy.port, sent, target="/petstore/pets")
        assert response.status == 200
        assert response.seen_by_upstream("x-caller-app") == []
        assert (await send(envoy.port, target="/status")).body == b"ok"
        assert (await send(envoy.port, target="/a%2fb")).status == 400
    (check,) = authorization.requests
    seen = {header.key for header in check.attributes.request.http.header_map.headers}
    assert seen == {"authorization", "x-api-key", "x-request-id"}
    assert check.attributes.context_extensions == {"api": "petstore-v1"}
