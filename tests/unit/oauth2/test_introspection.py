"""Introspection: what is asked, and that only a plain yes is a yes."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.client_checks import post
from support.clock import Clock
from support.introspecting import introspection_client

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.circuit_breaker import CircuitBreaker
from extauthz.oauth2.client_authentication import BasicClientAuthentication, PostClientAuthentication
from extauthz.oauth2.introspection import IntrospectionClient


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


def client_of(
    server, session, *, password: str | None = None, timeout_seconds: float = 60, **settings
) -> IntrospectionClient:
    authentication = BasicClientAuthentication(
        username=server.client_id, password=server.client_secret if password is None else password
    )
    return introspection_client(server, session, authentication, timeout_seconds=timeout_seconds, **settings)


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
    ["", "true", "[]", '{"active": true', '{"active": false, "active": true}', '{"active": true, "exp": NaN}'],
)
async def test_an_answer_that_is_no_plain_json_object_is_unavailable(client, server, document):
    server.introspection_answer = lambda _: web.Response(text=document, content_type="application/json")
    with pytest.raises(Unavailable, match="not a JSON object"):
        await client.introspect(server.issue_opaque())


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


async def test_the_question_is_a_form_with_a_hint_and_asks_for_json(client, server):
    token = server.issue_opaque()
    await client.introspect(token)
    headers, form = server.questions[0]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Accept"] == "application/json"
    assert form == {"token": token, "token_type_hint": "access_token"}


async def test_credentials_in_the_form_come_with_the_token(server, session):
    server.introspection_client = post("gateway", "p&ss w%rd")
    authentication = PostClientAuthentication(client_id="gateway", client_secret="p&ss w%rd")
    client = introspection_client(server, session, authentication)
    assert (await client.introspect(server.issue_opaque())).active


async def test_no_more_questions_are_under_way_than_allowed(server, session):
    client = client_of(server, session, max_concurrent=2)
    server.introspection.misbehave(Misbehaviour.HANG)
    questions = [asyncio.create_task(client.introspect(server.issue_opaque())) for _ in range(5)]
    await server.introspection.called(2)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.introspection.called(3), 0.2)
    await server.introspection.behave()
    assert all(response.active for response in await asyncio.gather(*questions))
    assert server.introspection.calls == 5


async def test_who_waits_too_long_for_a_turn_is_unavailable_and_was_no_failure_of_the_endpoint(server, session):
    breaker = CircuitBreaker("introspection", failures=2, open_seconds=60, clock=Clock())
    client = client_of(server, session, max_concurrent=1, timeout_seconds=0.3, breaker=breaker)
    server.introspection.misbehave(Misbehaviour.HANG)
    questions = [asyncio.create_task(client.introspect(server.issue_opaque())) for _ in range(4)]
    outcomes = await asyncio.gather(*questions, return_exceptions=True)
    details = sorted(outcome.detail.partition(": ")[2] for outcome in outcomes if isinstance(outcome, Unavailable))
    assert details == ["no answer within 0.3 s", *["too many questions at once"] * 3]
    await server.introspection.behave()
    assert (await client.introspect(server.issue_opaque())).active


async def test_a_cancelled_question_gives_its_turn_to_the_next(server, session):
    client = client_of(server, session, max_concurrent=1)
    server.introspection.misbehave(Misbehaviour.HANG)
    first = asyncio.create_task(client.introspect(server.issue_opaque()))
    await server.introspection.called(1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await server.introspection.behave()
    assert (await client.introspect(server.issue_opaque())).active


@pytest.fixture
def moved_clock():
    return Clock()


@pytest.fixture
def guarded(server, session, moved_clock):
    breaker = CircuitBreaker("introspection", failures=3, open_seconds=5, clock=moved_clock)
    return client_of(server, session, breaker=breaker)


async def fail_three_times(client, server):
    server.introspection.misbehave(Misbehaviour.STATUS_503)
    for _ in range(3):
        with pytest.raises(Unavailable, match="503"):
            await client.introspect(server.issue_opaque())


async def test_an_endpoint_that_fails_is_left_alone_for_its_time_then_tried_once(guarded, server, moved_clock):
    await fail_three_times(guarded, server)
    with pytest.raises(Unavailable, match="left alone"):
        await guarded.introspect(server.issue_opaque())
    assert server.introspection.calls == 3
    moved_clock.advance(6)
    with pytest.raises(Unavailable, match="503"):
        await guarded.introspect(server.issue_opaque())
    with pytest.raises(Unavailable, match="left alone"):
        await guarded.introspect(server.issue_opaque())
    assert server.introspection.calls == 4
    await server.introspection.behave()
    moved_clock.advance(6)
    for _ in range(2):
        assert (await guarded.introspect(server.issue_opaque())).active


async def test_of_many_that_come_after_the_pause_one_tries(guarded, server, moved_clock):
    await fail_three_times(guarded, server)
    moved_clock.advance(6)
    server.introspection.misbehave(Misbehaviour.HANG)
    trial = asyncio.create_task(guarded.introspect(server.issue_opaque()))
    await server.introspection.called(4)
    others = await asyncio.gather(
        *(guarded.introspect(server.issue_opaque()) for _ in range(5)), return_exceptions=True
    )
    assert {type(other) for other in others} == {Unavailable}
    assert server.introspection.calls == 4
    await server.introspection.behave()
    assert (await trial).active


@pytest.mark.parametrize("how", [Misbehaviour.DISCONNECT, Misbehaviour.REDIRECT, Misbehaviour.STATUS_500])
async def test_every_wrong_answer_is_a_failure_of_the_endpoint(guarded, server, how):
    server.introspection.misbehave(how)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await guarded.introspect(server.issue_opaque())
    with pytest.raises(Unavailable, match="left alone"):
        await guarded.introspect(server.issue_opaque())


async def test_timeouts_are_failures_of_the_endpoint(server, session, moved_clock):
    breaker = CircuitBreaker("introspection", failures=1, open_seconds=60, clock=moved_clock)
    client = client_of(server, session, breaker=breaker, timeout_seconds=0.2)
    server.introspection.misbehave(Misbehaviour.HANG)
    with pytest.raises(Unavailable, match="no answer within"):
        await client.introspect(server.issue_opaque())
    with pytest.raises(Unavailable, match="left alone"):
        await client.introspect(server.issue_opaque())


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_tokens_that_the_server_does_not_understand_do_not_open_the_circuit_for_others(guarded, server, status):
    server.introspection_answer = lambda answer: web.json_response(answer, status=200 if answer["active"] else status)
    for _ in range(5):
        with pytest.raises(Unavailable, match=f"HTTP status {status}"):
            await guarded.introspect("odd-token")
    assert (await guarded.introspect(server.issue_opaque())).active


@pytest.mark.parametrize(
    "body",
    [
        b'{"active": true, "nickname": "\\ud800"}',
        b'{"active": true, "deep": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"active": true, "sub": "a", "sub": "b"}',
        b'{"active": true}' + b" " * 300_000,
    ],
    ids=["lone surrogate", "nesting", "duplicate", "too large"],
)
async def test_an_answer_about_one_token_that_cannot_be_read_does_not_open_the_circuit_for_others(
    guarded, server, body
):
    server.introspection_answer = lambda answer: (
        web.json_response(answer) if answer["active"] else web.Response(body=body, content_type="application/json")
    )
    for _ in range(5):
        with pytest.raises(Unavailable, match=r"not a JSON object|more than"):
            await guarded.introspect("odd-claims")
    assert (await guarded.introspect(server.issue_opaque())).active


async def test_an_answer_that_is_too_large_and_no_success_is_a_failure_of_the_endpoint(guarded, server):
    server.introspection_answer = lambda _: web.Response(status=500, body=b" " * 300_000)
    for _ in range(3):
        with pytest.raises(Unavailable, match="more than"):
            await guarded.introspect(server.issue_opaque())
    with pytest.raises(Unavailable, match="left alone"):
        await guarded.introspect(server.issue_opaque())
