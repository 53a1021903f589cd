"""What operators with the bearer secret are told about the catalog and the settings, and everybody about metrics."""

import contextlib

import aiohttp
import pytest
from starlette.applications import Starlette
from support.catalogs import api, contents, key_manager

from extauthz.catalog.indexes import Indexes
from extauthz.operations.credentials import BearerSecret
from extauthz.operations.documents import document_route
from extauthz.operations.held_catalog import CatalogDocument
from extauthz.operations.metrics import metrics_route
from extauthz.operations.server import OperationsServer

SECRET = "s" * 32
BEARER = {"Authorization": f"Bearer {SECRET}"}


class Held:
    """A catalog as a data plane holds it."""

    def __init__(self, held=None, revision=None, changed_at=None):
        self.held = held
        self.revision = revision
        self.changed_at = changed_at


@contextlib.asynccontextmanager
async def serving(*routes):
    server = OperationsServer(Starlette(routes=routes), host="127.0.0.1", port=0)
    port = await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await server.stop()


def catalog_route(held):
    return document_route("/catalog", CatalogDocument(held), BearerSecret(SECRET.encode()))


async def told(held, query=""):
    async with (
        serving(catalog_route(held)) as client,
        client.get(f"/catalog{query}", headers=BEARER) as response,
    ):
        return response.status, await response.json()


def loaded():
    apis = [api(id=name, context=f"/{name}") for name in ("c", "a", "d", "b")]
    found = contents(
        apis=apis,
        applications=[],
        subscriptions=[],
        key_managers=[key_manager(), key_manager(id="other", issuer="https://other")],
    )
    return Indexes.of(found.entities())


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {SECRET}x"}, {"Authorization": f"Basic {SECRET}"}])
async def test_without_the_secret_nothing_is_told(headers):
    async with (
        serving(catalog_route(Held(loaded()))) as client,
        client.get("/catalog", headers=headers) as response,
    ):
        assert response.status == 401
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert "entities" not in await response.text()


async def test_a_document_is_not_kept_and_cannot_be_posted():
    async with serving(document_route("/config", lambda _: {"a": 1}, BearerSecret(SECRET.encode()))) as client:
        async with client.get("/config", headers=BEARER) as response:
            assert (response.status, await response.json()) == (200, {"a": 1})
            assert response.headers["cache-control"] == "no-store"
        async with client.post("/config", headers=BEARER) as response:
            assert response.status == 405


async def test_the_catalog_is_told_by_revision_age_and_numbers():
    status, document = await told(Held(loaded(), revision=7, changed_at=1_700_000_000.0))
    assert status == 200
    entities = document.pop("entities")
    assert document == {"revision": 7, "changed_at": 1_700_000_000.0}
    assert (entities["apis"], entities["key_managers"], entities["subscriptions"]) == (4, 2, 0)


async def test_subscriptions_are_counted():
    _, document = await told(Held(Indexes.of(contents().entities())))
    assert document["entities"]["subscriptions"] == len(contents().subscriptions) > 0


async def test_before_the_first_catalog_there_is_nothing():
    status, document = await told(Held())
    assert status == 200
    assert (document["revision"], document["changed_at"]) == (None, None)
    assert set(document["entities"].values()) == {0}


async def test_apis_are_listed_some_at_a_time():
    _, first = await told(Held(loaded()), "?list=apis&limit=2")
    _, second = await told(Held(loaded()), f"?list=apis&limit=2&after={first['next']}")
    assert [entry["id"] for entry in first["apis"]] == ["a", "b"]
    assert [entry["id"] for entry in second["apis"]] == ["c", "d"]
    assert second["next"] is None


async def test_an_api_and_a_key_manager_are_described():
    _, apis = await told(Held(loaded()), "?list=apis&limit=1")
    assert (apis["apis"][0]["context"], apis["apis"][0]["state"]) == ("/a", "PUBLISHED")
    _, managers = await told(Held(loaded()), "?list=key_managers")
    assert [entry["issuer"] for entry in managers["key_managers"]][1] == "https://other"


@pytest.mark.parametrize(
    "query", ["?list=subscriptions", "?list=", "?list=apis&limit=0", "?list=apis&limit=1001", "?list=apis&limit=-1",
              "?list=apis&limit=²", "?list=apis&limit=" + "9" * 5000],
)  # fmt: skip
async def test_a_parameter_that_is_wrong_is_refused_and_not_repeated(query):
    status, problem = await told(Held(loaded()), query)
    assert (status, problem["error"]) == (400, "Bad Request")
    assert "999" not in str(problem)


async def test_metrics_are_given_to_everybody_in_the_form_that_is_asked_for():
    async def page(accept):
        return accept.encode(), "text/plain; version=0.0.4; charset=utf-8"

    async with serving(metrics_route(page)) as client, client.get("/metrics", headers={"Accept": "a/b"}) as response:
        assert (response.status, await response.read()) == (200, b"a/b")
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
