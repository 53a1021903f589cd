"""What operators and upstreams can ask, over real connections."""

import contextlib
import re

import aiohttp
import pytest

from extauthz.operations.app import JwkSetDocument, operations_app
from extauthz.operations.server import OperationsServer
from extauthz.telemetry.health import Health

KEYS: dict[str, list[dict[str, str]]] = {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "kid": "1"}]}


@contextlib.asynccontextmanager
async def client_of(app):
    server = OperationsServer(app, host="127.0.0.1", port=0)
    port = await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await server.stop()


async def test_readiness_follows_health():
    health = Health()
    health.report("revocations", ok=True)
    async with client_of(operations_app(health=health)) as client:
        statuses = []
        for change in (
            lambda: None,
            lambda: health.report("catalog", ok=True),
            lambda: health.report("catalog", ok=False),
            lambda: health.report("catalog", ok=True),
            health.begin_draining,
        ):
            change()
            async with client.get("/readyz") as response:
                statuses.append(response.status)
    assert statuses == [503, 200, 503, 200, 503]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_the_state_of_each_component_is_shown_and_not_kept(path):
    health = Health()
    health.report("cache", ok=False, detail="connection refused")
    async with client_of(operations_app(health=health)) as client, client.get(path) as response:
        assert response.headers["cache-control"] == "no-store"
        assert await response.json() == {
            "ready": False,
            "draining": False,
            "components": {
                "cache": {"ok": False, "essential": False, "detail": "connection refused"},
                "catalog": {"ok": False, "essential": True, "detail": "not started"},
                "catalog_source": {"ok": False, "essential": False, "detail": "not started"},
                "revocation_channel": {"ok": False, "essential": False, "detail": "not started"},
                "revocations": {"ok": False, "essential": True, "detail": "not started"},
            },
        }


async def test_a_process_that_is_not_ready_is_alive():
    """Kubernetes kills what is not alive, and a new process would have the same catalog."""
    health = Health()
    health.begin_draining()
    async with client_of(operations_app(health=health)) as client, client.get("/healthz") as response:
        assert response.status == 200


async def test_the_keys_of_the_backend_jwt_are_public_for_a_while():
    app = operations_app(health=Health(), jwks=lambda: KEYS, jwks_max_age_seconds=60)
    async with client_of(app) as client, client.get("/jwks") as response:
        assert response.status == 200
        assert response.headers["content-type"] == "application/jwk-set+json"
        assert response.headers["cache-control"] == "public, max-age=60"
        assert await response.json(content_type="application/jwk-set+json") == KEYS


async def test_who_has_the_keys_is_told_that_they_are_the_same():
    app = operations_app(health=Health(), jwks=lambda: KEYS, jwks_max_age_seconds=60)
    async with client_of(app) as client:
        async with client.get("/jwks") as response:
            etag = response.headers["etag"]
        assert re.fullmatch(r'"[A-Za-z0-9_-]{43}"', etag), "strong: the bytes are the same"
        for held in (etag, f"W/{etag}", f'"other", {etag}', f'W/"a,b" ,{etag}', "*"):
            async with client.get("/jwks", headers={"If-None-Match": held}) as response:
                assert (response.status, await response.read()) == (304, b"")
                assert (response.headers["etag"], response.headers["cache-control"]) == (etag, "public, max-age=60")


@pytest.mark.parametrize("held", ['"other"', "", "nonsense", '"', "W/*", '"*"'])
async def test_who_has_other_keys_gets_those_of_now(held):
    app = operations_app(health=Health(), jwks=lambda: KEYS)
    async with client_of(app) as client, client.get("/jwks", headers={"If-None-Match": held}) as response:
        assert response.status == 200
        assert await response.json(content_type=None) == KEYS


async def test_other_keys_have_another_tag_and_equal_ones_the_same():
    tags = []
    sets: list[JwkSetDocument] = [lambda: KEYS, lambda: {"keys": [*KEYS["keys"]]}, lambda: {"keys": []}]
    for keys in sets:
        app = operations_app(health=Health(), jwks=keys)
        async with client_of(app) as client, client.head("/jwks") as response:
            tags.append(response.headers["etag"])

    assert tags[0] == tags[1] != tags[2]


async def test_the_keys_are_those_of_now():
    keys = dict(KEYS)
    async with client_of(operations_app(health=Health(), jwks=lambda: keys)) as client:
        for rotated in ([{"kty": "EC", "kid": "2"}], []):
            keys["keys"] = rotated
            async with client.get("/jwks") as response:
                assert await response.json(content_type=None) == {"keys": rotated}


async def test_without_a_signer_there_are_no_keys():
    async with client_of(operations_app(health=Health())) as client, client.get("/jwks") as response:
        assert response.status == 404


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/readyz", 405), ("GET", "/", 404)])
async def test_nothing_else_is_served(method, path, status):
    async with client_of(operations_app(health=Health())) as client, client.request(method, path) as response:
        assert response.status == status
        assert "server" not in response.headers
