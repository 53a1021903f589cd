"""Checks by HTTP: through a real Envoy's `http_service`, and as nginx and Traefik ask by their documentation.

What is configured stands in docs/http-check.md, and is read from there.
"""

import json
import re
from contextlib import asynccontextmanager

import pytest
import yaml
from support.decisions import GOOD
from support.envoy import ROOT, running_echo, running_envoy, send
from support.http_check import TRAEFIK, ask
from support.service import running_service

from extauthz.cli.demo.envoy_bootstrap import cluster, ext_authz
from extauthz.cli.demo.programs import free_port

pytestmark = pytest.mark.external_service

PAGE = (ROOT / "docs/http-check.md").read_text(encoding="utf-8")
PETS = "/petstore/v1/pets?limit=1"
# Releases that keep the headers of a refusal from the client, and take no `status_on_error`: the page says so.
FORGETFUL = ("1.37.0",)
FORGED = (("X-JWT-Assertion", "forged"), ("X_JWT_Assertion", "forged"))


def documented(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@asynccontextmanager
async def serving(folder, server, proxy, **settings):
    port = free_port()
    http_check = {"listen": f"127.0.0.1:{port}", "proxy": proxy}
    async with running_service(folder, server, settings={"http_check": http_check} | settings) as service:
        yield port, service


def with_http_service(bootstrap):
    """The bootstrap for gRPC, with both blocks of the page in their places."""
    _, filter_block, cluster_block, _ = map(yaml.safe_load, documented("yaml"))
    port = cluster(bootstrap, "extauthz")["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    there, into = ext_authz(bootstrap), cluster(bootstrap, "extauthz")
    for name, value in ((there, filter_block), (into, cluster_block)):
        name.clear()
        name.update(value)
    into["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = port


def bearer(server, **claims):
    return ("Authorization", f"Bearer {server.issue_jwt(**GOOD | claims)}")


@pytest.mark.through_envoy
async def test_through_envoys_http_service_all_is_as_by_grpc(tmp_path, server):
    async with (
        serving(tmp_path / "extauthz", server, "envoy") as (port, service),
        running_echo(tmp_path) as upstream,
        running_envoy(tmp_path, authorization_port=port, upstream_port=upstream, change=with_http_service) as envoy,
    ):
        passed = await send(envoy.port, [bearer(server), *FORGED], target=PETS)
        assert passed.status == 200
        (jwt,) = passed.seen_by_upstream("x-jwt-assertion")
        assert jwt.count(".") == 2
        assert passed.seen_by_upstream("authorization") == []
        assert json.loads(passed.body)["path"] == PETS

        on_open = await send(envoy.port, FORGED, target="/petstore/v1/about")
        assert (on_open.status, on_open.seen_by_upstream("x-jwt-assertion")) == (200, [])

        refused = await send(envoy.port, [bearer(server, scope="other")], target=PETS)
        assert refused.status == 403
        assert json.loads(refused.body)["code"] == "900910"
        named = {name.lower(): value for name, value in refused.headers}
        if await envoy.release() in FORGETFUL:
            assert "www-authenticate" not in named
        else:
            assert 'error="insufficient_scope"' in named["www-authenticate"]
            assert named["content-type"] == "application/json"

        twice = await send(envoy.port, [bearer(server), ("authorization", "Bearer other")], target=PETS)
        assert twice.status == 400
        assert (await send(envoy.port, [], target="/nowhere")).status == 404
        posted = [bearer(server), ("Content-Length", "0")]
        assert (await send(envoy.port, posted, method="POST", target=PETS)).status == 200
        assert (await send(envoy.port, posted, method="DELETE", target=PETS)).status == 405
    assert "http_check_not_understood" not in service.logged()


@pytest.mark.through_envoy
async def test_without_the_list_of_headers_envoy_lets_nobody_through(tmp_path, server):
    def forgotten(bootstrap):
        with_http_service(bootstrap)
        del ext_authz(bootstrap)["allowed_headers"]

    async with (
        serving(tmp_path / "extauthz", server, "envoy") as (port, service),
        running_echo(tmp_path) as upstream,
        running_envoy(tmp_path, authorization_port=port, upstream_port=upstream, change=forgotten) as envoy,
    ):
        assert (await send(envoy.port, [bearer(server)], target=PETS)).status == 400
        assert (await send(envoy.port, [], target="/petstore/v1/about")).status == 400
    assert "x-forwarded-proto must be there, once" in service.logged()


@pytest.mark.through_envoy
async def test_without_extauthz_envoy_lets_nobody_through(tmp_path):
    async with (
        running_echo(tmp_path) as upstream,
        running_envoy(
            tmp_path, authorization_port=free_port(), upstream_port=upstream, change=with_http_service
        ) as envoy,
    ):
        status = 403 if await envoy.release() in FORGETFUL else 503
        assert (await send(envoy.port, [], target="/petstore/v1/about")).status == status


def asked_by_nginx(client, *, method="GET", uri=PETS):
    """The subrequest that the page's second location makes of a client's request."""
    (config,) = documented("nginx")
    location = config[config.index("location = /_extauthz") :]
    variables = {
        "$request_method": method,
        "$request_uri": uri,
        "$scheme": "https",
        "$host": "api.example.com",
        "$proxy_add_x_forwarded_for": "203.0.113.9, 192.0.2.1",
    }
    lines = re.findall(r"proxy_set_header\s+(\S+)\s+(\S+);", location)
    set_lines = [(name, variables.get(value, value.strip('"'))) for name, value in lines]
    overwritten = {name.lower() for name, _ in set_lines}
    kept = [line for line in client if line[0].lower() not in overwritten and "_" not in line[0]]
    return [(name, value) for name, value in set_lines if value] + kept


async def test_nginx_as_documented_is_answered(tmp_path, server):
    spoofed = (("X-Original-URI", "/petstore/v1/about"), ("X-Original-Method", "GET"), ("X-Forwarded-For", "::1"))
    async with serving(tmp_path, server, "nginx") as (port, _):

        async def asked(*client, **request):
            return await ask(port, "/check", asked_by_nginx(client, **request), version="1.0")

        passed = await asked(bearer(server), *FORGED)
        assert (passed.status, passed.headers["x-jwt-assertion"].count(".")) == (200, 2)
        assert (await asked(uri="/petstore/v1/about")).status == 200
        assert "x-jwt-assertion" not in (await asked(uri="/petstore/v1/about")).headers
        missing = await asked()
        assert (missing.status, missing.headers["www-authenticate"]) == (401, 'Bearer realm="extauthz"')
        assert (await asked(*spoofed)).status == 401
        assert (await asked(uri="/nowhere")).status == 403
        assert (await asked(bearer(server), method="DELETE")).status == 403
        assert (await ask(port, "/check", [("Host", "api.example.com"), *spoofed])).status == 400


async def test_traefik_as_documented_is_answered(tmp_path, server):
    async with serving(tmp_path, server, "traefik") as (port, _):

        async def asked(*client, **changed):
            lines = [(name, changed.get(name.rpartition("-")[2].lower(), value)) for name, value in TRAEFIK]
            return await ask(port, "/check", [*lines, *client])

        passed = await asked(bearer(server))
        assert (passed.status, passed.headers["x-jwt-assertion"].count(".")) == (200, 2)
        assert (await asked(uri="/petstore/v1/about")).status == 200
        assert json.loads((await asked()).body)["code"] == "900902"
        assert (await asked(uri="/nowhere")).status == 404
        assert (await asked(bearer(server), method="DELETE")).headers["allow"] == "GET, POST"


async def test_it_is_counted_and_logged_as_any_check_and_off_unless_it_is_set(tmp_path, server):
    async with serving(tmp_path / "on", server, "traefik") as (port, service):
        await ask(port, "/check", TRAEFIK)
        status, health = await service.operations("/readyz")
        assert (status, health["ready"]) == (200, True)
    assert '"reason": "missing_credentials"' in service.logged()
    assert '"event": "http_check_listening"' in service.logged()
    async with running_service(tmp_path / "off", server) as other:
        pass
    assert "http_check" not in other.logged()


async def test_the_limits_of_the_port_leave_room_for_what_the_settings_allow(tmp_path, server):
    async with serving(tmp_path, server, "traefik", limits={"token_bytes": 65_536, "drain_seconds": 0}) as (port, _):
        assert (await ask(port, "/check", (*TRAEFIK, ("Authorization", f"Bearer {'a' * 65_536}")))).status == 401
