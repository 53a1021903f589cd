"""Introspection: what is asked, and that only a plain yes is a yes."""

import asyncio

import aiohttp
import pytest
from support.authorization_server import AuthorizationServer, Misbehaviour

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.client_authentication import BasicClientAuthentication
from extauthz.oauth2.introspection import IntrospectionClient, introspection_response


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def client(server, session):
    return client_of(server, session)


def client_of(server, session, *, password: str | None = None, timeout_seconds: float = 60) -> IntrospectionClient:
    authentication = BasicClientAuthentication(
        username=server.client_id, password=server.client_secret if password is None else password
    )
    return IntrospectionClient(server.introspection_endpoint, authentication, session, timeout_seconds=timeout_seconds)


async def test_an_active_token_gives_its_claims(client, server):
    response = await client.introspect(server.issue_opaque(sub="bob", scope="read"))
    assert response.active
    assert response.claims["sub"] == "bob"
    assert response.claims["scope"] == "read"


async def test_a_revoked_token_is_inactive(client, server):
    token = server.issue_opaque()
    assert (await client.introspect(token)).active
    server.revoke(token)
    assert not (await client.introspect(token)).active


async def test_a_jwt_can_be_introspected(client, server):
    assert (await client.introspect(server.issue_jwt())).active


async def test_an_unknown_token_is_inactive_and_has_no_claims(client, server):
    server.introspection_override = {"active": False, "sub": "alice", "scope": "admin"}
    response = await client.introspect("unknown")
    assert not response.active
    assert response.claims == {}


async def test_a_token_of_special_characters_arrives_as_it_is(client, server):
    token = server.issue_opaque()
    assert not (await client.introspect(f"{token}&token={token}")).active
    assert not (await client.introspect(f"{token}%20")).active


async def test_wrong_credentials_are_unavailable_not_inactive(server, session):
    with pytest.raises(Unavailable, match="401"):
        await client_of(server, session, password="wrong").introspect(server.issue_opaque())


@pytest.mark.parametrize("active", ["true", "True", 1, 1.0, None, [], {}, [True], {"value": True}, False, "yes"])
async def test_anything_but_true_is_inactive(client, server, active):
    server.introspection_override = {"active": active, "sub": "alice"}
    response = await client.introspect(server.issue_opaque())
    assert not response.active
    assert response.claims == {}


async def test_an_answer_without_active_is_inactive(client, server):
    server.introspection_override = {"sub": "alice"}
    assert not (await client.introspect(server.issue_opaque())).active


async def test_active_as_a_string_is_inactive(client, server):
    server.introspection.misbehave(Misbehaviour.ACTIVE_AS_STRING)
    assert not (await client.introspect(server.issue_opaque())).active


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.STATUS_500,
        Misbehaviour.STATUS_503,
        Misbehaviour.HTML,
        Misbehaviour.HUGE,
        Misbehaviour.REDIRECT,
        Misbehaviour.DISCONNECT,
    ],
)
async def test_a_wrong_answer_is_unavailable(client, server, misbehaviour):
    server.introspection.misbehave(misbehaviour)
    with pytest.raises(Unavailable) as unavailable:
        await client.introspect(server.issue_opaque())
    assert unavailable.value.component == "introspection"


@pytest.mark.parametrize(
    "document",
    [b"", b"true", b"[]", b'{"active": true', b'{"active": false, "active": true}', b'{"active": true, "exp": NaN}'],
)
def test_an_answer_that_is_no_plain_json_object_is_refused(document):
    with pytest.raises(ValueError):
        introspection_response(document)


async def test_a_connection_that_fails_is_tried_once_more(client, server):
    token = server.issue_opaque()
    server.introspection.misbehave(Misbehaviour.DISCONNECT, once=True)
    assert (await client.introspect(token)).active
    assert server.introspection.calls == 2


async def test_a_connection_that_fails_twice_is_not_tried_again(client, server):
    server.introspection.misbehave(Misbehaviour.DISCONNECT)
    with pytest.raises(Unavailable):
        await client.introspect(server.issue_opaque())
    assert server.introspection.calls == 2


async def test_a_status_is_not_a_reason_to_ask_again(client, server):
    server.introspection.misbehave(Misbehaviour.STATUS_500)
    with pytest.raises(Unavailable):
        await client.introspect(server.issue_opaque())
    assert server.introspection.calls == 1


async def test_a_hanging_server_is_asked_once_and_unavailable_within_the_timeout(server, session):
    server.introspection.misbehave(Misbehaviour.HANG)
    with pytest.raises(Unavailable, match=r"0\.2 s"):
        await client_of(server, session, timeout_seconds=0.2).introspect(server.issue_opaque())
    assert server.introspection.calls <= 1


async def test_a_server_that_is_down_is_unavailable_until_it_is_back(client, server):
    token = server.issue_opaque()
    await server.go_down()
    with pytest.raises(Unavailable):
        await client.introspect(token)
    await server.come_back()
    assert (await client.introspect(token)).active


async def test_a_cancelled_question_ends(client, server):
    server.introspection.misbehave(Misbehaviour.HANG)
    question = asyncio.create_task(client.introspect(server.issue_opaque()))
    await server.introspection.called(1)
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question


@pytest.mark.parametrize("token", ["", "tök", "a\nb", "a\x00b", "a\x7fb", "\ud800"])
async def test_what_cannot_be_a_token_is_refused_unasked(client, server, token):
    with pytest.raises(Denied) as denied:
        await client.introspect(token)
    assert denied.value.reason is Reason.INVALID_TOKEN
    assert server.introspection.calls == 0


async def test_neither_token_nor_password_is_in_an_error(client, server):
    token = server.issue_opaque()
    server.introspection.misbehave(Misbehaviour.STATUS_500)
    with pytest.raises(Unavailable) as unavailable:
        await client.introspect(token)
    assert token not in repr(unavailable.value)
    assert server.client_secret not in repr(unavailable.value)


async def test_the_claims_are_never_printed(client, server):
    assert "alice" not in repr(await client.introspect(server.issue_opaque()))
