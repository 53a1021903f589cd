"""Shadow mode from outside: through Envoy, in the log, in metrics, in health and in `extauthz check`."""

import asyncio
import json

import aiohttp
import pytest
from support.catalogs import api, catalog_document
from support.check_client import OVERWRITES, allowed, check_request, connected, denied
from support.deciding import key_manager_of
from support.decisions import GOOD
from support.envoy import running_echo, running_envoy, send
from support.operator import Operator
from support.service import CACHE_SECRET, running_service

pytestmark = [pytest.mark.external_service, OVERWRITES]

PETS = "/petstore/v1/pets"
FORGED = (("X-JWT-Assertion", "forged"), ("x_jwt_assertion", "forged"))
IN_SHADOW = api(shadow=True)
ENFORCED = api(id="other", context="/other")


async def metrics(service):
    url = f"http://127.0.0.1:{service.operations_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        lines = (await response.text()).splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def logged(service, event):
    lines = (json.loads(line) for line in service.logged().splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == event]


async def until_health_says(service, detail):
    """It is looked at once a second; another process has no event for us."""
    async with asyncio.timeout(30):
        while (await service.operations("/healthz"))[1]["components"]["enforcement"]["detail"] != detail:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.through_envoy
async def test_an_api_in_shadow_lets_through_what_would_be_refused_and_nothing_forged(tmp_path, server):
    catalog = {"apis": [IN_SHADOW, ENFORCED]}
    async with (
        running_service(tmp_path / "extauthz", server, catalog=catalog) as service,
        running_echo(tmp_path) as upstream,
        running_envoy(tmp_path, authorization_port=service.port, upstream_port=upstream) as envoy,
    ):
        for credential in ([], [("Authorization", "Bearer nonsense")]):
            passed = await send(envoy.port, [*credential, *FORGED], target=PETS)
            assert passed.status == 200
            assert passed.seen_by_upstream("x-jwt-assertion") == []
            assert passed.seen_by_upstream("authorization") == []
        good = [("Authorization", f"Bearer {server.issue_jwt(**GOOD)}")]
        assert (await send(envoy.port, good, target=PETS)).seen_by_upstream("x-jwt-assertion") != []
        assert (await send(envoy.port, FORGED, target="/other/pets")).status == 401
        found = await metrics(service)
        labels = 'api="petstore",key_manager="",reason="missing_credentials"'
        assert found[f"extauthz_shadowed_refusals_total{{{labels}}}"] == "1.0"
        assert (found["extauthz_shadow_apis"], found["extauthz_shadow_everywhere"]) == ("1.0", "0.0")
        await until_health_says(service, "SHADOW MODE: refusals of 1 APIs are not enforced")
    (warning,) = logged(service, "shadow_mode")
    assert (warning["level"], warning["named"]) == ("warning", ["petstore"])
    assert [(line["api"], line.get("shadow")) for line in logged(service, "denied")] == [
        ("petstore", True),
        ("petstore", True),
        ("other", None),
    ]


async def test_everywhere_nothing_is_refused_and_the_process_says_so(tmp_path, server):
    settings = {"shadow": True}
    async with (
        running_service(tmp_path, server, settings=settings) as service,
        connected(service.port) as stub,
    ):
        for path in (PETS, "/nowhere"):
            assert allowed(await stub.check(check_request(path=path)))
        await until_health_says(service, "SHADOW MODE: no refusal is enforced")
        assert (await metrics(service))["extauthz_shadow_everywhere"] == "1.0"
    assert logged(service, "shadow_mode")[0]["everywhere"] is True


async def test_an_api_goes_into_shadow_and_comes_back_with_the_catalog(tmp_path, server):
    async with running_service(tmp_path, server) as service, connected(service.port) as stub:
        assert denied(await stub.check(check_request(path=PETS)))
        for shadow in (True, False):
            service.write_catalog(catalog_document(key_managers=[key_manager_of(server)], apis=[api(shadow=shadow)]))
            async with asyncio.timeout(30):
                # The file is looked at every 50 ms; another process has no event for us.
                while ((await stub.check(check_request(path=PETS))).ok_response is not None) is not shadow:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


async def test_check_explains_what_shadow_mode_lets_through(tmp_path, server):
    operator = Operator(TEST_CACHE_SECRET=CACHE_SECRET, TEST_GATEWAY_SECRET=server.client_secret)
    async with running_service(tmp_path, server, catalog={"apis": [IN_SHADOW]}) as service:
        ask = ("--url", f"https://api.example.com{PETS}", "--explain")
        for source in (("--address", f"127.0.0.1:{service.port}"), ("--config", tmp_path / "extauthz.yaml")):
            status, out, _ = await operator.run("check", *source, *ask)
            assert status == 0
            assert "allowed in shadow mode, refused without it: missing_credentials" in out
            status, out, _ = await operator.run("check", *source, *ask, "--output", "json")
            told = json.loads(out)
            assert (status, told["decision"], told["shadow_reason"]) == (0, "allow", "missing_credentials")
            outcomes = {stage["name"]: stage["outcome"] for stage in told["stages"]}
            assert (outcomes["credential"], outcomes["upstream"]) == ("refused", "passed")
