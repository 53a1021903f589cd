"""Userinfo: whom is asked about, and that only an answer about this user counts."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.certificate_authority import CertificateAuthority
from support.clock import Clock
from support.introspecting import PATIENT_SECONDS, bounded_http

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.tls import client_tls
from extauthz.oauth2.userinfo import MAX_ANSWER_BYTES, UserinfoClient

OPENID = {"scope": "openid read"}


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        server.users.claims["alice"] = {"email": "alice@example.com", "groups": ["staff"]}
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def client_of(server, session, *, breaker=None, tls=None, timeout_seconds=PATIENT_SECONDS, **settings):
    return UserinfoClient(
        server.userinfo_endpoint,
        bounded_http(session, "userinfo", tls=tls, timeout_seconds=timeout_seconds, max_bytes=MAX_ANSWER_BYTES),
        breaker or CircuitBreaker("userinfo", failures=1000, open_seconds=1, clock=Clock()),
        timeout_seconds=timeout_seconds,
        **settings,
    )


@pytest.fixture
def client(server, session):
    return client_of(server, session)


def answered(server, document):
    server.users.form = lambda _: web.Response(text=document, content_type="application/json")


async def refusal_of(client, token, subject="alice"):
    with pytest.raises((Denied, Unavailable)) as refused:
        await client.claims(token, subject)
    assert token not in str(refused.value)
    return refused.value


async def test_the_claims_of_the_tokens_user_are_had_with_the_token_itself(client, server):
    token = server.issue_opaque(**OPENID)
    claims = await client.claims(token, "alice")

    assert claims == {"sub": "alice", "email": "alice@example.com", "groups": ["staff"]}
    [headers] = server.users.questions
    assert (headers["Authorization"], headers["Accept"]) == (f"Bearer {token}", "application/json")


@pytest.mark.parametrize(
    "document",
    ['{"sub": "mallory"}', "{}", '{"sub": null}', '{"sub": ["alice"]}', '{"sub": "Alice"}', '{"sub": "alice "}'],
)
async def test_an_answer_about_anybody_else_is_not_used(client, server, document):
    """OpenID Connect Core §5.3.2."""
    answered(server, document)
    refused = await refusal_of(client, server.issue_opaque(**OPENID))

    assert isinstance(refused, Denied)
    assert refused.reason is Reason.INVALID_TOKEN


async def test_a_token_that_the_endpoint_refuses_is_inactive(client, server):
    token = server.issue_opaque(**OPENID)
    server.revoke(token)

    assert (await refusal_of(client, token)).reason is Reason.TOKEN_INACTIVE


async def test_a_token_without_the_scope_lacks_it(client, server):
    refused = await refusal_of(client, server.issue_opaque(scope="read"))

    assert (refused.reason, refused.scopes) == (Reason.INSUFFICIENT_SCOPE, frozenset({"openid"}))


async def test_a_signed_answer_is_refused_in_clear_words(client, server):
    server.users.form = lambda _: web.Response(text="e30.e30.c2ln", content_type="application/jwt")
    refused = await refusal_of(client, server.issue_opaque(**OPENID))

    assert isinstance(refused, Unavailable)
    assert "is a JWT, which is not read here" in refused.detail


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/plain", "application/octet-stream", "application/scim+json"]
)
async def test_only_json_is_read(client, server, content_type):
    server.users.form = lambda _: web.Response(text='{"sub": "alice"}', content_type=content_type)

    assert "not application/json" in (await refusal_of(client, server.issue_opaque(**OPENID))).detail


@pytest.mark.parametrize(
    "document", ["", "null", "[]", '{"sub": "alice"', '{"sub": "alice", "sub": "bob"}', '{"sub": "alice", "n": NaN}']
)
async def test_what_is_not_one_json_object_is_unavailable(client, server, document):
    answered(server, document)

    assert isinstance(await refusal_of(client, server.issue_opaque(**OPENID)), Unavailable)


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
    server.userinfo.misbehave(misbehaviour)
    refused = await refusal_of(client, server.issue_opaque(**OPENID))

    assert isinstance(refused, Unavailable)
    assert refused.component == "userinfo"


async def test_the_token_does_not_follow_a_redirect(client, server):
    server.userinfo.misbehave(Misbehaviour.REDIRECT)
    await refusal_of(client, server.issue_opaque(**OPENID))

    assert server.users.questions == []


async def test_a_broken_connection_is_tried_once_more(client, server):
    server.userinfo.misbehave(Misbehaviour.DISCONNECT, once=True)

    assert (await client.claims(server.issue_opaque(**OPENID), "alice"))["email"] == "alice@example.com"
    assert server.userinfo.calls == 2


async def test_an_endpoint_that_hangs_is_waited_for_so_long(server, session):
    client = client_of(server, session, timeout_seconds=0.2)
    server.userinfo.misbehave(Misbehaviour.HANG)

    assert isinstance(await refusal_of(client, server.issue_opaque(**OPENID)), Unavailable)


async def test_only_so_many_questions_are_asked_at_one_time(server, session):
    client = client_of(server, session, max_concurrent=1)
    server.userinfo.misbehave(Misbehaviour.HANG)
    tokens = [server.issue_opaque(**OPENID) for _ in range(3)]
    asking = [asyncio.create_task(client.claims(token, "alice")) for token in tokens]
    await server.userinfo.called(1)
    assert server.userinfo.calls == 1
    await server.userinfo.behave()

    assert [claims["sub"] for claims in await asyncio.gather(*asking)] == ["alice"] * 3


async def test_an_endpoint_that_fails_is_left_alone(server, session):
    breaker = CircuitBreaker("userinfo", failures=2, open_seconds=60, clock=Clock())
    client = client_of(server, session, breaker=breaker)
    server.userinfo.misbehave(Misbehaviour.STATUS_500)
    token = server.issue_opaque(**OPENID)
    for _ in range(5):
        await refusal_of(client, token)

    assert server.userinfo.calls == 2


async def test_tokens_that_are_refused_do_not_keep_others_from_asking(server, session):
    breaker = CircuitBreaker("userinfo", failures=2, open_seconds=60, clock=Clock())
    client = client_of(server, session, breaker=breaker)
    revoked = server.issue_opaque(**OPENID)
    server.revoke(revoked)
    for _ in range(3):
        await refusal_of(client, revoked)
        await refusal_of(client, server.issue_opaque(scope="read"))
        await refusal_of(client, server.issue_opaque(**OPENID, sub="bob"))

    assert (await client.claims(server.issue_opaque(**OPENID), "alice"))["sub"] == "alice"


async def test_the_endpoint_is_verified_by_its_own_authority(session, tmp_path):
    ours, another = CertificateAuthority(tmp_path, "ours"), CertificateAuthority(tmp_path, "another")
    async with AuthorizationServer(tls=ours.server_tls()) as server:
        token = server.issue_opaque(**OPENID)
        verified, doubted = (
            client_of(server, session, tls=client_tls(str(authority.ca_file))) for authority in (ours, another)
        )
        assert await verified.claims(token, "alice") == {"sub": "alice"}
        assert isinstance(await refusal_of(doubted, token), Unavailable)
