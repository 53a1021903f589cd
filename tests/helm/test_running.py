"""The command lines of the chart, started as a kubelet starts them."""

import re

import aiohttp
import pytest
import pytest_asyncio
from helm.installing import PETSTORE, installed, running, secrets, values
from helm.kubelet import change, start
from helm.rendering import render
from support.catalogs import text_of
from support.check_client import OVERWRITES, allowed, check_request, connected, headers_of, status_of
from support.revocations import until

from extauthz.cli.demo.programs import free_port

pytestmark = [pytest.mark.external_service, OVERWRITES]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def release(tmp_path_factory):
    """The values of a release that runs, and its pod; starting one takes seconds."""
    installing = values()
    async with installed(installing, tmp_path_factory.mktemp("release")) as pod:
        yield installing, pod


@pytest.mark.asyncio(loop_scope="module")
async def test_the_rendered_command_line_answers_checks(release):
    installing, _ = release
    async with connected(installing["ports"]["grpc"]) as client:
        about = await client.check(check_request(path="/petstore/about"))
        pets = await client.check(check_request(path="/petstore/pets"))
    assert "x-jwt-assertion" not in headers_of(allowed(about))  # an open resource has no caller
    assert status_of(pets) == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_the_metrics_of_the_rules_are_those_of_the_process(release):
    """docs/metrics.md says it; here the page itself says it."""
    installing, _ = release
    url = f"http://127.0.0.1:{installing['ports']['operations']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        page = await response.text()
    found = {name.removesuffix("_total") for name in re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE)}
    rendered = render(installing | {"prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}})
    text = rendered.texts["extauthz/templates/monitoring.yaml"]
    used = set(re.findall(r"\b((?:extauthz|process)_\w+)\{", text))
    plain = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in used}
    assert len(plain) > 10
    assert plain - found == set()


@pytest.mark.asyncio(loop_scope="module")
async def test_another_catalog_needs_no_restart(release):
    installing, pod = release
    folder = pod.path("/etc/extauthz/catalog")
    (api,) = PETSTORE["apis"]
    opened = {**api, "resources": [{"template": "/*", "methods": ["GET"], "open": True}]}
    async with connected(installing["ports"]["grpc"]) as client:

        async def allowed_now() -> bool:
            answer = await client.check(check_request(path="/petstore/pets"))
            return answer.ok_response is not None

        async def refused() -> bool:
            return not await allowed_now()

        assert await refused()
        change(folder, {"catalog.yaml": text_of({"apis": [opened]})})
        await until(allowed_now)
        change(folder, {"catalog.yaml": text_of(PETSTORE)})
        await until(refused)


@pytest.mark.asyncio(loop_scope="module")
async def test_another_config_needs_no_restart(release):
    """A kubelet brings it to the pods that run, whether others are made for it or not."""
    installing, pod = release
    folder = pod.path("/etc/extauthz/config")
    before = (folder / "extauthz.yaml").read_text(encoding="utf-8")
    async with connected(installing["ports"]["grpc"]) as client:

        async def realm_is_another() -> bool:
            answer = await client.check(check_request(path="/petstore/pets"))
            assert answer.denied_response is not None
            return 'realm="another"' in headers_of(answer.denied_response)["www-authenticate"]

        assert not await realm_is_another()
        change(folder, {"extauthz.yaml": f"{before}\nerrors: {{realm: another}}\n"})
        await until(realm_is_another)
        change(folder, {"extauthz.yaml": before})


async def test_the_resident_key_manager_issues_tokens(tmp_path):
    port, secret = free_port(), "mobile-0123456789-0123456789-0123456789"
    clients = [{"client_id": "mobile-client", "client_secret": {"env": "MOBILE_SECRET"}, "scopes": ["pets.read"]}]
    resident = {
        "enabled": True,
        "port": port,
        "config": {
            "issuer": "https://login.example.com",
            "audience": ["gateway"],
            "database": "sqlite:////var/lib/extauthz/resident.db",
            "signing_key": {"file": "/etc/extauthz/secrets/signing.pem"},
            "clients": clients,
        },
        "secrets": {"MOBILE_SECRET": {"existingSecret": "clients", "key": "mobile"}},
        "secretFiles": {"signing.pem": {"existingSecret": "backend-jwt", "key": "tls.key"}},
        "persistence": {"enabled": True},
    }
    rendered = render(values() | {"resident": resident})
    deployment = rendered.find("Deployment", "gate-extauthz-resident")
    known = secrets() | {"clients": {"mobile": secret}}
    pod = start(rendered, deployment["spec"]["template"]["spec"], known, tmp_path / "pod")
    base = f"http://127.0.0.1:{port}"
    authentication = {"Authorization": aiohttp.encode_basic_auth("mobile-client", secret)}
    form = {"grant_type": "client_credentials"}
    async with running(pod, tmp_path, f"{base}/healthz"), aiohttp.ClientSession() as session:
        async with session.post(f"{base}/oauth2/token", data=form, headers=authentication) as response:
            assert (await response.json())["scope"] == "pets.read"
        assert pod.path("/var/lib/extauthz/resident.db").exists()
