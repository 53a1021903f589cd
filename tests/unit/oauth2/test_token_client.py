"""Requests for tokens of our own, and what is made of the answers."""

import json

import aiohttp
import pytest
from aiohttp import web
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.client_checks import post, public
from support.introspecting import bounded_http

from extauthz.model.errors import Unavailable
from extauthz.oauth2.client_authentication import (
    BasicClientAuthentication,
    PostClientAuthentication,
    UnprovenClient,
)
from extauthz.oauth2.token_client import InvalidGrant, TokenClient, issued_token

NOW = 1_700_000_000.0
CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}
BASIC = BasicClientAuthentication(username="gateway-client", password="gateway-secret")


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def client_of(server, session, authentication=BASIC, scopes=frozenset(), **limits) -> TokenClient:
    http = bounded_http(session, "token_endpoint", **limits)
    return TokenClient(server.token_endpoint, authentication, http, lambda: NOW, scopes=scopes)


def answer(**members) -> bytes:
    defaults = {"access_token": "own", "token_type": "Bearer", "expires_in": 3600}
    return json.dumps({name: value for name, value in (defaults | members).items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("check", "authentication"),
    [
        (None, BASIC),
        (post("gateway-client", "s"), PostClientAuthentication(client_id="gateway-client", client_secret="s")),
        (public("gateway-client"), UnprovenClient(client_id="gateway-client")),
    ],
    ids=["header", "body", "none"],
)
async def test_the_clients_credentials_go_where_they_are_placed(server, session, check, authentication):
    server.own_tokens.client = check or server.own_tokens.client
    issued = await client_of(server, session, authentication).request(CLIENT_CREDENTIALS)
    assert issued.access_token.startswith("own-")


async def test_scopes_are_sent_in_order_and_none_are_not(server, session):
    await client_of(server, session, scopes=frozenset({"b", "a"})).request(CLIENT_CREDENTIALS)
    await client_of(server, session).request(CLIENT_CREDENTIALS)
    assert [request.get("scope") for request in server.own_tokens.requests] == ["a b", None]


async def test_wrong_credentials_are_unavailable_with_the_error_of_the_server(server, session):
    wrong = BasicClientAuthentication(username="gateway-client", password="hunter2")
    with pytest.raises(Unavailable, match="invalid_client") as unavailable:
        await client_of(server, session, wrong).request(CLIENT_CREDENTIALS)
    assert unavailable.value.component == "token_endpoint"
    assert "hunter2" not in repr(unavailable.value)


async def test_a_bad_password_is_an_invalid_grant(server, session):
    with pytest.raises(InvalidGrant, match="invalid_grant"):
        await client_of(server, session).request({"grant_type": "password", "username": "u", "password": "hunter2"})


async def test_nothing_that_the_server_writes_is_repeated(server, session):
    error = {"error": "hunter2", "error_description": "hunter2"}
    server.own_tokens.override = web.json_response(error, status=400)
    with pytest.raises(Unavailable, match="HTTP status 400") as unavailable:
        await client_of(server, session).request(CLIENT_CREDENTIALS)
    assert "hunter2" not in repr(unavailable.value)


@pytest.mark.parametrize(
    "how",
    [
        Misbehaviour.DISCONNECT,
        Misbehaviour.HTML,
        Misbehaviour.HUGE,
        Misbehaviour.STATUS_500,
        Misbehaviour.REDIRECT,
    ],
)
async def test_a_wrong_answer_is_unavailable_and_asked_for_once(server, session, how):
    """Once: a refresh token that was used is worth nothing, whether its answer arrived or not."""
    server.token.misbehave(how)
    with pytest.raises(Unavailable):
        await client_of(server, session).request(CLIENT_CREDENTIALS)
    assert server.token.calls == 1


async def test_a_hanging_server_is_unavailable_within_the_timeout(server, session):
    server.token.misbehave(Misbehaviour.HANG)
    with pytest.raises(Unavailable, match=r"0\.2 s"):
        await client_of(server, session, timeout_seconds=0.2).request(CLIENT_CREDENTIALS)


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [(3600, 3570), (300, 270), (100, 90), (10, 9), (0, 0), ("3600", 3570), (90.5, 81.45), (None, 54)],
)
def test_it_is_renewed_shortly_before_its_end(expires_in, renewed_after):
    """Half a minute before, and a short one a tenth of its life; one of unstated life is taken to have a minute."""
    assert issued_token(answer(expires_in=expires_in), NOW).renew_at - NOW == pytest.approx(renewed_after)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_type_has_no_case(kind):
    assert issued_token(answer(token_type=kind), NOW).access_token == "own"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"access_token": "a", "access_token": "b", "token_type": "Bearer"}',
        answer(access_token=None),
        answer(access_token=""),
        answer(access_token=7),
        answer(access_token="a b"),
        answer(access_token="a\r\nX-Admin: 1"),
        answer(token_type=None),
        answer(token_type="DPoP"),
        answer(token_type="mac"),
        answer(expires_in=-1),
        answer(expires_in=True),
        answer(expires_in="soon"),
        answer(expires_in=[]),
        answer(expires_in="1_0"),
    ],
    ids=lambda document: document.decode()[:60],
)
def test_an_answer_without_a_usable_bearer_token_is_refused(document):
    with pytest.raises(ValueError) as refused:
        issued_token(document, NOW)
    assert "X-Admin" not in str(refused.value)


@pytest.mark.parametrize("refresh_token", ["", 7, None])
def test_an_odd_refresh_token_is_none(refresh_token):
    assert issued_token(answer(refresh_token=refresh_token), NOW).refresh_token is None


def test_tokens_are_never_printed():
    printed = repr(issued_token(answer(access_token="hunter2", refresh_token="hunter3"), NOW))
    assert "hunter" not in printed
