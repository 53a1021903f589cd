"""Callers without a token, and tokens that say more than who they are: through the pipeline, the program and Envoy."""

import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.catalogs import api, application, request
from support.check_client import OVERWRITES, allowed, check_request, connected, denied, status_of
from support.deciding import API_KEY_HASHES, deciding, key_manager_of
from support.decisions import GOOD, refused
from support.decisions import allowed as let_through
from support.envoy import running_echo, running_envoy
from support.mutual_tls import FORWARDED_HEADER, ask_for_certificates, send_the_peer_certificate, tls_client
from support.service import CACHE_SECRET, running_service

from extauthz.authn.api_key_hash import ApiKeyHashes, new_api_key
from extauthz.authn.client_certificate import forwarded_certificate
from extauthz.cli.demo.envoy_bootstrap import ext_authz
from extauthz.model.errors import Reason

PATH = "/petstore/v1/pets"
KEY = new_api_key()
BY_KEY = {"oauth2": False, "api_key": {"header": "X-Api-Key", "query": "api_key"}}
SUBSCRIBED = {"name": "PetStore", "context": "/petstore/v1", "version": "v1", "subscriptionTier": "Gold"}
FORMS = pytest.mark.parametrize("form", ["jwt", "opaque"])


def issue(server, form, **claims):
    return (server.issue_jwt if form == "jwt" else server.issue_opaque)(**GOOD | claims)


def entry(key=KEY, hashes=API_KEY_HASHES, **settings):
    return {"id": "partner", "application": "app", "hash": hashes.entry(key), "scopes": ["read"]} | settings


# In process.


async def decide(world, path=PATH, **of_request):
    return await world.pipeline.decide(request(path, **of_request))


async def test_a_key_opens_what_its_application_has_subscribed_to(server):
    async with deciding(server) as world:
        await world.catalog(apis=[api(security=BY_KEY)], api_keys=[entry()])
        for of_request in ({"headers": {"x-api-key": KEY}}, {"path": f"{PATH}?api_key={KEY}"}):
            access = let_through(await decide(world, **of_request)).access
            assert access is not None
            assert access.application is not None
            assert access.principal.api_key is not None
            assert (access.principal.api_key.id, access.application.id, access.policy) == ("partner", "app", "Gold")
        refused(await decide(world, headers={"authorization": f"Bearer {KEY}"}), Reason.MISSING_CREDENTIALS)
        refused(await decide(world, headers={"x-api-key": new_api_key()}), Reason.INVALID_TOKEN)
        assert (server.jwks.calls, server.introspection.calls) == (0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"api_keys": []}, Reason.INVALID_TOKEN),
        ({"api_keys": [entry(enabled=False)]}, Reason.INVALID_TOKEN),
        ({"api_keys": [entry(expires_at="2020-01-01T00:00:00Z")]}, Reason.TOKEN_EXPIRED),
        ({"api_keys": [entry(scopes=[])]}, Reason.INSUFFICIENT_SCOPE),
        ({"api_keys": [entry(allowed_addresses=["192.0.2.0/24"])]}, Reason.RESOURCE_FORBIDDEN),
        ({"api_keys": [entry(allowed_referers=["www.example.com/*"])]}, Reason.RESOURCE_FORBIDDEN),
        ({"subscriptions": []}, Reason.RESOURCE_FORBIDDEN),
        (
            {"subscriptions": [{"application": "app", "api": "petstore", "state": "PROD_ONLY_BLOCKED"}]},
            Reason.SUBSCRIPTION_BLOCKED,
        ),
        ({"apis": [api(security=BY_KEY, key_types=["SANDBOX"])]}, Reason.WRONG_TOKEN_TYPE),
        ({"apis": [api()]}, Reason.MISSING_CREDENTIALS),
        ({"apis": [api(security=BY_KEY, state="BLOCKED")]}, Reason.API_BLOCKED),
    ],
)
async def test_a_change_of_the_catalog_counts_for_the_next_request_with_a_key(server, change, reason):
    good = {"apis": [api(security=BY_KEY)], "api_keys": [entry()]}
    async with deciding(server) as world:
        await world.catalog(**good)
        let_through(await decide(world, headers={"x-api-key": KEY}))
        await world.catalog(**good | change)
        refused(await decide(world, headers={"x-api-key": KEY}), reason)


async def test_a_token_and_a_key_are_one_too_many_where_the_api_accepts_both(server):
    both = {"authorization": f"Bearer {server.issue_jwt(**GOOD)}", "x-api-key": KEY}
    async with deciding(server) as world:
        security = {"api_key": {"header": "X-Api-Key"}}
        await world.catalog(key_managers=[key_manager_of(server)], apis=[api(security=security)], api_keys=[entry()])
        refused(await decide(world, headers=both), Reason.INVALID_REQUEST)
        for name, value in both.items():
            let_through(await decide(world, headers={name: value}))


async def test_a_mandatory_certificate_comes_before_every_question(server, authority):
    mine, stranger = tls_client(authority, "mine"), tls_client(authority, "stranger")
    security = {"mutual_tls": "mandatory", "certificates": [{"pem": mine.certificate_file.read_text()}]}
    token = {"authorization": f"Bearer {server.issue_opaque(**GOOD)}"}
    async with deciding(server, certificate=forwarded_certificate) as world:
        await world.catalog(key_managers=[key_manager_of(server)], apis=[api(security=security)])
        for shown in ({}, {FORWARDED_HEADER: stranger.forwarded}, {FORWARDED_HEADER: "nonsense"}):
            refused(await decide(world, headers=token | shown), Reason.INVALID_TOKEN)
        assert server.introspection.calls == 0
        refused(await decide(world, headers={FORWARDED_HEADER: mine.forwarded}), Reason.MISSING_CREDENTIALS)
        let_through(await decide(world, headers=token | {FORWARDED_HEADER: mine.forwarded}))


async def test_a_certificate_that_is_enough_is_refused_with_a_bad_token_and_after_its_end(server, authority):
    mine = tls_client(authority, "mine")
    registered = {"pem": mine.certificate_file.read_text(), "policy": "Silver", "scopes": ["read"]}
    security = {"mutual_tls": "optional", "application": "optional", "certificates": [registered]}
    shown = {FORWARDED_HEADER: mine.forwarded}
    async with deciding(server, certificate=forwarded_certificate) as world:
        await world.catalog(key_managers=[key_manager_of(server)], apis=[api(security=security)], subscriptions=[])
        access = let_through(await decide(world, headers=shown)).access
        assert access is not None
        assert (access.principal.facts.subject, access.policy) == ("CN=mine", "Silver")
        refused(await decide(world, headers=shown | {"authorization": "Bearer nonsense"}), Reason.TOKEN_INACTIVE)
        world.clock.advance(2 * 86_400)
        refused(await decide(world, headers=shown), Reason.MISSING_CREDENTIALS)
        refused(await decide(world), Reason.MISSING_CREDENTIALS)


@FORMS
async def test_in_claim_mode_the_token_says_to_what_its_application_has_subscribed(server, form):
    claims = {
        "subscribedAPIs": [SUBSCRIBED],
        "application": {"uuid": "u-1", "name": "Shop", "tier": "Bronze", "owner": "ann"},
        "keytype": "SANDBOX",
    }
    async with deciding(server) as world:
        sections: dict[str, Any] = {"applications": [], "subscriptions": []}
        claiming = key_manager_of(server, subscription_validation="claim")
        await world.catalog(key_managers=[claiming], **sections)
        for _ in range(2):  # learned, then from the cache
            access = let_through(await world.check(issue(server, form, **claims))).access
            assert access is not None
            assert access.application is not None
            assert (access.application.name, access.key_type, access.policy) == ("Shop", "SANDBOX", "Gold")
        other = claims | {"subscribedAPIs": [SUBSCRIBED | {"version": "v2"}]}
        refused(await world.check(issue(server, form, **other)), Reason.RESOURCE_FORBIDDEN)
        refused(await world.check(issue(server, form)), Reason.RESOURCE_FORBIDDEN)
        await world.catalog(key_managers=[key_manager_of(server)], **sections)
        refused(await world.check(issue(server, form, **claims)), Reason.RESOURCE_FORBIDDEN)


@FORMS
async def test_an_audience_of_the_api_is_asked_of_every_token(server, form):
    async with deciding(server) as world:
        await world.catalog(key_managers=[key_manager_of(server)], apis=[api(audiences=["pets", "shop"])])
        let_through(await world.check(issue(server, form, aud=["other", "shop"])))
        refused(await world.check(issue(server, form, aud="other")), Reason.API_AUDIENCE)
        refused(await world.check(issue(server, form)), Reason.API_AUDIENCE)


async def test_an_api_without_a_sandbox_takes_no_sandbox_keys(server):
    keys = [{"key_manager": "km", "client_id": "client", "key_type": "SANDBOX"}]
    sections = {"key_managers": [key_manager_of(server)], "applications": [application(keys=keys)]}
    async with deciding(server) as world:
        await world.catalog(**sections)
        let_through(await world.check(server.issue_jwt(**GOOD)))
        await world.catalog(**sections, apis=[api(key_types=["PRODUCTION"])])
        refused(await world.check(server.issue_jwt(**GOOD)), Reason.WRONG_TOKEN_TYPE)


async def test_scopes_may_all_be_needed_and_cover_those_below_them(server):
    resource = {"template": "/pets", "methods": ["GET"], "scopes": ["pets.read", "pets.list"], "scope_rule": "all"}
    async with deciding(server) as world:
        sections = {"key_managers": [key_manager_of(server)]}
        await world.catalog(**sections, apis=[api(resources=[resource])])
        deny = refused(await world.check(issue(server, "jwt", scope="pets.read")), Reason.INSUFFICIENT_SCOPE)
        assert deny.scopes == {"pets.read", "pets.list"}
        let_through(await world.check(issue(server, "jwt", scope="pets.read pets.list")))
        refused(await world.check(issue(server, "jwt", scope="pets")), Reason.INSUFFICIENT_SCOPE)
        await world.catalog(**sections, apis=[api(resources=[resource], scope_matching="hierarchical")])
        let_through(await world.check(issue(server, "jwt", scope="pets")))


# The program.

SECRETS = {
    "cache-secret": {"env": "TEST_CACHE_SECRET"},
    "backend-jwt-key": {"file": "backend-jwt-key.pem"},
    "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]},
}
WITH_KEYS = {"secrets": SECRETS, "api_keys": {"secret": ["cache-secret"]}}
HASHES = ApiKeyHashes([CACHE_SECRET.encode()])


async def code_of(stub, **of_request):
    """HTTP status and product code of a refusal."""
    answer = await stub.check(check_request(**of_request))
    return status_of(answer), json.loads(denied(answer).body)["code"]


@OVERWRITES
async def test_the_program_knows_keys_by_the_secret_of_its_settings_and_logs_none(tmp_path, server):
    former = entry(hashes=ApiKeyHashes([b"a secret that the settings do not have"]), id="former")
    elsewhere = entry(new := new_api_key(), HASHES, id="elsewhere", allowed_addresses=["192.0.2.0/24"])
    over = entry(old := new_api_key(), HASHES, id="over", expires_at="2020-01-01T00:00:00+00:00")
    catalog = {
        "apis": [api(security=BY_KEY)],
        "api_keys": [entry(good := new_api_key(), HASHES), former, elsewhere, over],
    }
    async with (
        running_service(tmp_path, server, settings=WITH_KEYS, catalog=catalog) as service,
        connected(service.port) as stub,
    ):
        allowed(await stub.check(check_request(headers={"x-api-key": good})))
        allowed(await stub.check(check_request(path=f"{PATH}?api_key={good}")))
        assert await code_of(stub) == (401, "900902")
        assert await code_of(stub, headers={"x-api-key": KEY}) == (401, "900901")
        assert await code_of(stub, headers={"x-api-key": f"{good},{good}"}) == (400, "900901")
        assert await code_of(stub, headers={"x-api-key": new}) == (403, "900908")
        assert await code_of(stub, headers={"x-api-key": old}) == (401, "900903")
        await service.processes.__aexit__(None, None, None)
        logged = service.logged()
    lines = [json.loads(line) for line in logged.splitlines() if "allowed" in line]
    assert {(line["credential"], line["api_key"], line["application"]) for line in lines} == {
        ("api_key", "partner", "app")
    }
    assert not [key for key in (good, KEY, new, old) if key in logged]


@OVERWRITES
async def test_a_program_without_a_secret_for_keys_refuses_them(tmp_path, server):
    catalog = {"apis": [api(security=BY_KEY)], "api_keys": [entry()]}
    async with running_service(tmp_path, server, catalog=catalog) as service, connected(service.port) as stub:
        assert await code_of(stub, headers={"x-api-key": KEY}) == (401, "900901")


# Through Envoy.


@asynccontextmanager
async def gateway(folder: Path, server, catalog, *changes, settings=None):
    """Envoy, extauthz and an upstream; the port of Envoy."""

    def change(bootstrap):
        for each in changes:
            each(bootstrap)

    catalog = {"key_managers": [key_manager_of(server)]} | catalog
    async with (
        running_service(folder / "extauthz", server, settings=settings, catalog=catalog) as service,
        running_echo(folder) as echo,
        running_envoy(folder, authorization_port=service.port, upstream_port=echo, change=change) as envoy,
    ):
        yield envoy.port


@pytest.mark.external_service
@pytest.mark.through_envoy
async def test_envoy_lets_keys_through_from_the_addresses_and_pages_that_they_are_good_for(tmp_path, server):
    def headers_for_keys(bootstrap):
        ext_authz(bootstrap)["allowed_headers"]["patterns"] += [{"exact": "x-api-key"}, {"exact": "referer"}]

    here = entry(at_home := new_api_key(), HASHES, id="here", allowed_addresses=["127.0.0.0/8"])
    there = entry(abroad := new_api_key(), HASHES, id="there", allowed_addresses=["192.0.2.0/24"])
    page = entry(of_page := new_api_key(), HASHES, id="page", allowed_referers=["www.example.com/*"])
    catalog = {"apis": [api(security=BY_KEY)], "api_keys": [here, there, page]}
    async with (
        gateway(tmp_path, server, catalog, headers_for_keys, settings=WITH_KEYS) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):

        async def status(key, query="", **headers):
            async with client.get(PATH + query, headers={"X-Api-Key": key} | headers if key else headers) as response:
                return response.status

        assert await status(at_home) == 200
        assert await status("", f"?api_key={at_home}") == 200
        assert await status(at_home, f"?api_key={at_home}") == 400
        assert await status(abroad) == 403
        assert await status(abroad, **{"X-Forwarded-For": "192.0.2.7"}) == 403
        assert await status(of_page, Referer="https://www.example.com/shop") == 200
        assert await status(of_page, Referer="https://evil.example/www.example.com/") == 403
        assert await status(of_page) == 403
        assert await status(new_api_key()) == 401


@pytest.mark.external_service
@pytest.mark.through_envoy
async def test_a_registered_certificate_is_the_connections_and_no_headers(tmp_path, server, authority):
    mine, stranger = tls_client(authority, "mine"), tls_client(authority, "stranger")
    certificates = [{"pem": mine.certificate_file.read_text(), "scopes": ["read"]}]
    security = {"mutual_tls": "mandatory", "application": "optional", "certificates": certificates}
    bearer = ("Authorization", f"Bearer {server.issue_jwt(**GOOD)}")

    def tls(bootstrap):
        ask_for_certificates(bootstrap, authority)

    changes = (tls, send_the_peer_certificate)
    async with gateway(tmp_path, server, {"apis": [api(security=security)]}, *changes) as port:
        url = f"https://127.0.0.1:{port}{PATH}"
        assert (await mine.get(url))[0] == 200
        assert (await mine.get(url, bearer))[0] == 200
        assert (await mine.get(url, ("Authorization", "Bearer nonsense")))[0] == 401
        assert (await stranger.get(url))[0] == 401
        assert (await stranger.get(url, bearer))[0] == 401
        assert (await stranger.get(url, bearer, (FORWARDED_HEADER, mine.forwarded)))[0] == 401
