"""The command lines of the chart, started as a kubelet starts them."""

import asyncio
import re
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from helm.kubelet import change, start
from helm.rendering import render
from helm.server_certificates import CLIENT_NAME, certificates
from support.catalogs import text_of
from support.check_client import OVERWRITES, allowed, check_request, connected, headers_of, status_of
from support.revocations import until
from support.signing_keys import private_key

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

pytestmark = [pytest.mark.external_service, OVERWRITES]

PETSTORE = {
    "apis": [
        {
            "id": "petstore",
            "name": "PetStore",
            "version": "v1",
            "context": "/petstore",
            "resources": [
                {"template": "/about", "methods": ["GET"], "open": True},
                {"template": "/pets", "methods": ["GET"]},
            ],
        }
    ]
}
ABOUT, PETS = "https://api.example.com/petstore/about", "https://api.example.com/petstore/pets"


def values(*cases):
    """A release that nobody needs to be asked for: an API, a signing key, a secret for API keys."""
    return {
        "listenHost": "127.0.0.1",
        "ports": {"grpc": free_port(), "operations": free_port()},
        "config": {
            "catalog": {"reload_seconds": 0.05},
            "backend_jwt": {"keys": [{"key": "signing", "algorithm": "ES256"}]},
            "api_keys": {"secret": ["api-keys"]},
            "limits": {"drain_seconds": 0},
        },
        "catalog": {"inline": PETSTORE},
        "secrets": {
            "signing": {"existingSecret": "backend-jwt", "key": "tls.key"},
            "api-keys": {"existingSecret": "extauthz", "key": "api-keys", "as": "env"},
        },
        "test": {"cases": list(cases), "secrets": {"ODD_TOKEN": {"existingSecret": "extauthz", "key": "odd"}}},
    }


def secrets():
    pem = private_key("ES256", "backend").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"backend-jwt": {"tls.key": pem.decode()}, "extauthz": {"api-keys": "k" * 40, "odd": "odd"}}


@asynccontextmanager
async def running(pod, folder, ready_url):
    """The command line of a container, until it is ready."""
    argv = (sys.executable, "-m", "extauthz", *pod.args)
    program = Program(name="pod", argv=argv, ready=answers_ok(ready_url), environment=pod.environment)
    async with Processes(folder / "logs") as processes:
        await processes.start(program)
        yield


@asynccontextmanager
async def installed(release, folder, **more_secrets):
    """The release as one running pod."""
    rendered = render(release)
    pod = start(rendered, rendered.pod, secrets() | more_secrets, folder / "pod")
    async with running(pod, folder, f"http://127.0.0.1:{release['ports']['operations']}/readyz"):
        yield pod


async def helm_test(release, folder, **more_secrets):
    """The exit status of the test pod, and what it printed."""
    rendered = render(release)
    test = rendered.find("Pod", "gate-extauthz-test")["spec"]
    pod = start(rendered, test, secrets() | more_secrets, folder / "test")
    address = "gate-extauthz.gateways.svc:9191"
    assert address in pod.args
    here = tuple(f"127.0.0.1:{release['ports']['grpc']}" if arg == address else arg for arg in pod.args)
    pod = replace(pod, args=here)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extauthz", *pod.args),
        env={**pod.environment, "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


OPEN = {"name": "open", "request": {"url": ABOUT}, "expect": {"decision": "allow", "api": "petstore"}}
NO_TOKEN = {"name": "no token", "request": {"url": PETS}, "expect": {"decision": "deny", "status": 401}}
ODD_TOKEN = {**NO_TOKEN, "name": "no token of ours", "request": {"url": PETS, "token": {"env": "ODD_TOKEN"}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def release(tmp_path_factory):
    """The values of a release that runs, and its pod; starting one takes seconds."""
    installing = values(OPEN, NO_TOKEN, ODD_TOKEN)
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
async def test_helm_test_passes_where_the_catalog_does_what_is_expected(release, tmp_path):
    status, output = await helm_test(release[0], tmp_path)
    assert status == 0, output


@pytest.mark.asyncio(loop_scope="module")
async def test_helm_test_fails_where_it_does_not(release, tmp_path):
    pets = {"name": "pets are open", "request": {"url": PETS}, "expect": {"decision": "allow"}}
    status, output = await helm_test(release[0] | {"test": {"cases": [pets]}}, tmp_path)
    assert status == 1
    assert "pets are open" in output


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


async def test_helm_test_shows_a_certificate_where_envoy_must(tmp_path):
    known = dict.fromkeys(("server", "client"), certificates(tmp_path / "authority"))
    tls = {"enabled": True, "existingSecret": "server", "client": {"existingSecret": "client", "names": [CLIENT_NAME]}}
    release = values(OPEN, NO_TOKEN) | {"tls": tls}
    release["test"]["tls"] = {"existingSecret": "client"}
    async with installed(release, tmp_path, **known):
        status, output = await helm_test(release, tmp_path, **known)
    assert status == 0, output


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
