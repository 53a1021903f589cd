"""`upstream_headers` in the running program: what upstreams are told, and what they are never told."""

import pytest
from support.authorization_server import AuthorizationServer
from support.check_client import OVERWRITES, allowed, check_request, connected, headers_of, status_of
from support.decisions import GOOD
from support.service import running_service

pytestmark = [pytest.mark.external_service, OVERWRITES]

SETTINGS = {
    "upstream_headers": {
        "X-Caller-Application": {"attribute": "application_name"},
        "X-Caller-Groups": {"claim": "groups"},
        "X-Caller-Name": {"claim": "name", "encoding": "plain"},
        "X-Caller-Address": {"claim": "address", "encoding": "json"},
        "X-Caller-Id": {"claim": "employee", "encoding": "base64url"},
    },
}
OWNED = {name.lower() for name in SETTINGS["upstream_headers"]}


@pytest.fixture
async def ask(tmp_path):
    """The answer to a token with these claims, through a replica with SETTINGS."""
    async with (
        AuthorizationServer() as server,
        running_service(tmp_path, server, settings=SETTINGS) as service,
        connected(service.port) as stub,
    ):

        async def answer(path="/petstore/v1/pets", **claims):
            token = server.issue_jwt(**GOOD, **claims)
            return await stub.check(check_request(path=path, headers={"authorization": f"Bearer {token}"}))

        yield answer


async def test_claims_and_attributes_arrive_in_their_encodings(ask):
    claims = {"groups": ["a,b", "ü"], "name": "Ann", "address": {"city": "Köln"}, "employee": 7}
    told = headers_of(allowed(await ask(**claims)))
    assert {name: told[name] for name in OWNED} == {
        "x-caller-application": "App",
        "x-caller-groups": "a%2Cb,%C3%BC",
        "x-caller-name": "Ann",
        "x-caller-address": '{"city":"K\\u00f6ln"}',
        "x-caller-id": "Nw",
    }


async def test_what_the_token_does_not_say_is_removed(ask):
    answer = allowed(await ask(groups=[], name=""))
    assert set(headers_of(answer)) & OWNED == {"x-caller-application"}
    assert set(answer.headers_to_remove) & OWNED == OWNED - {"x-caller-application"}


async def test_on_an_open_resource_all_of_them_are_removed(ask):
    answer = allowed(await ask(path="/petstore/v1/about", name="Ann"))
    assert not set(headers_of(answer)) & OWNED
    assert set(answer.headers_to_remove) >= OWNED


async def test_a_claim_that_cannot_be_sent_refuses(ask):
    assert status_of(await ask(name="Ann\r\nX-Admin: yes")) == 401
    assert status_of(await ask(name="Zoë")) == 401
    assert status_of(await ask(groups={"a": 1})) == 401
