"""`helm test`: a real refusal and a real allow, by the command line that the image has."""

from copy import deepcopy

import pytest
import pytest_asyncio
from helm.installing import ABOUT, PETS, PETSTORE, helm_test, installed, values
from helm.rendering import ci_names, ci_values, render, rendered_ci
from helm.server_certificates import CLIENT_NAME, certificates
from support.check_client import OVERWRITES

from extauthz.cli.check.expectations import ExpectationsDocument
from extauthz.document.strict import loads

real = pytest.mark.external_service
pytestmark = OVERWRITES

OPEN = {"name": "open", "request": {"url": ABOUT}, "expect": {"decision": "allow", "api": "petstore"}}
NO_TOKEN = {"name": "no token", "request": {"url": PETS}, "expect": {"decision": "deny", "status": 401}}
ODD_TOKEN = {**NO_TOKEN, "name": "no token of ours", "request": {"url": PETS, "token": {"env": "ODD_TOKEN"}}}


def cases_of(rendered):
    (pod,) = [manifest["spec"] for manifest in rendered.manifests if manifest["kind"] == "Pod"]
    (name,) = [volume["configMap"]["name"] for volume in pod["volumes"] if volume["name"] == "test"]
    text = rendered.find("ConfigMap", name)["data"]["expectations.yaml"]
    return {case.name: case for case in loads(text, ExpectationsDocument, "expectations.yaml").cases}


def allowed_by(rendered):
    return [name for name, case in cases_of(rendered).items() if case.expect.decision == "allow"]


def with_apis(*apis):
    return render({"catalog": {"inline": {"apis": list(apis)}}})


def petstore(resource=None, **api):
    (whole,) = deepcopy(PETSTORE["apis"])
    whole["resources"][0] |= resource or {}
    return whole | api


@pytest.mark.parametrize("name", [name for name in ci_names() if ci_values(name).get("test", {}).get("enabled", True)])
def test_every_test_has_a_refusal_and_an_allow(name):
    decisions = [case.expect.decision for case in cases_of(rendered_ci(name)).values()]
    shadow = ci_values(name).get("config", {}).get("shadow", False)
    assert set(decisions) == ({"allow"} if shadow else {"allow", "deny"})


def test_the_request_that_must_be_allowed_can_be_named():
    request = {"url": PETS, "token": {"env": "ODD_TOKEN"}}
    rendered = render(values(NO_TOKEN) | {"test": {"allow": request, "cases": [NO_TOKEN]}})
    assert allowed_by(rendered) == ["test.allow"]
    assert cases_of(rendered)["test.allow"].request.url == PETS


def test_an_allow_among_the_cases_is_enough():
    assert allowed_by(render(values(OPEN, NO_TOKEN))) == ["open"]


def test_without_one_it_is_an_open_resource_of_the_catalog():
    rendered = with_apis(petstore(version="2", context="/petstore/{version}"))
    (case,) = [case for case in cases_of(rendered).values() if case.expect.decision == "allow"]
    assert (case.request.url, case.request.api) == ("https://extauthz.invalid/petstore/2/about", "petstore")
    assert "test.allow" not in rendered.notes


CLOSED = {
    "a parameter": petstore({"template": "/pets/{petId}"}),
    "a wildcard": petstore({"template": "/*"}),
    "no GET": petstore({"methods": ["POST"]}),
    "not open": petstore({"open": False}),
    "blocked": petstore(state="BLOCKED"),
    "a certificate is needed": petstore(security={"mutual_tls": "mandatory", "certificates": [{"alias": "partner"}]}),
}


@pytest.mark.parametrize("api", CLOSED.values(), ids=CLOSED)
def test_only_what_is_open_to_everybody_is_taken_for_it(api):
    rendered = with_apis(api)
    assert allowed_by(rendered) == ["test.allow is not set"]
    assert "fails until `test.allow`" in rendered.notes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def release(tmp_path_factory):
    """The values of a release that runs; starting one takes seconds."""
    installing = values()
    async with installed(installing, tmp_path_factory.mktemp("release")):
        yield installing


@real
@pytest.mark.asyncio(loop_scope="module")
async def test_it_passes_with_the_default_values_and_an_open_resource(release, tmp_path):
    status, output = await helm_test({key: release[key] for key in ("catalog", "ports")}, tmp_path)
    assert status == 0, output
    assert "an open resource" in output


@real
@pytest.mark.asyncio(loop_scope="module")
async def test_it_passes_where_the_catalog_does_what_is_expected(release, tmp_path):
    odd = release["test"] | {"allow": {"url": ABOUT}, "cases": [OPEN, NO_TOKEN, ODD_TOKEN]}
    status, output = await helm_test(release | {"test": odd}, tmp_path)
    assert status == 0, output


@real
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("test", "told"),
    [
        ({"cases": [{**OPEN, "name": "pets are open", "request": {"url": PETS}}]}, "pets are open"),
        ({"allow": {"url": PETS}}, "test.allow"),
        ({"cases": [{**OPEN, "expect": {"decision": "deny"}}]}, "open"),
    ],
)
async def test_it_fails_where_it_does_not(release, tmp_path, test, told):
    status, output = await helm_test(release | {"test": test}, tmp_path)
    assert status == 1
    assert told in output


@real
@pytest.mark.asyncio(loop_scope="module")
async def test_it_does_not_pass_where_no_request_is_known_that_must_be_allowed(release, tmp_path):
    elsewhere = {"ports": release["ports"], "catalog": {"existingConfigMap": "apis"}}
    status, output = await helm_test(elsewhere, tmp_path)
    assert status == 1
    assert "test.allow is not set" in output


@real
async def test_in_shadow_mode_it_expects_that_everything_passes(tmp_path):
    release = values()
    release["config"]["shadow"] = True
    async with installed(release, tmp_path):
        status, output = await helm_test(release, tmp_path)
    assert status == 0, output


@real
async def test_it_shows_a_certificate_where_envoy_must(tmp_path):
    known = dict.fromkeys(("server", "client"), certificates(tmp_path / "authority"))
    tls = {"enabled": True, "existingSecret": "server", "client": {"existingSecret": "client", "names": [CLIENT_NAME]}}
    release = values(OPEN, NO_TOKEN) | {"tls": tls}
    release["test"]["tls"] = {"existingSecret": "client"}
    async with installed(release, tmp_path, **known):
        status, output = await helm_test(release, tmp_path, **known)
    assert status == 0, output
