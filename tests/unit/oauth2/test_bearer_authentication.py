"""Our own token at the introspection endpoint: obtained, kept, renewed, refreshed, never asked for twice at a time."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from support.authorization_server import AuthorizationServer, Misbehaviour
from support.clock import Clock
from support.introspecting import bounded_http, introspection_client

from extauthz.model.errors import Unavailable
from extauthz.oauth2.bearer_authentication import BearerAuthentication
from extauthz.oauth2.client_authentication import BasicClientAuthentication
from extauthz.oauth2.grants import ClientCredentials, DirectToken, Password, Refresh
from extauthz.oauth2.token_client import InvalidGrant, TokenClient


class World:
    """A server whose introspection endpoint wants one of its own tokens, and how to ask it."""

    def __init__(self, server: AuthorizationServer, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.server, self.tokens, self.clock = server, server.own_tokens, clock
        self._session = session
        self.closing: list[BearerAuthentication] = []
        authentication = BasicClientAuthentication(username="gateway-client", password="gateway-secret")
        http = bounded_http(session, "token_endpoint")
        self.token_client = TokenClient(server.token_endpoint, authentication, http, clock)

    def asking(self, grant, **settings):
        authentication = BearerAuthentication(grant, self.clock)
        self.closing.append(authentication)
        return introspection_client(self.server, self._session, authentication, **settings)

    def password(self, refresh: Refresh | None = None) -> Password:
        return Password(self.token_client, username="gateway-user", password="gateway-password", refresh=refresh)

    def refresh(self, token: str | None = None) -> Refresh:
        if token is not None:
            self.tokens.refresh_tokens.add(token)
        return Refresh(self.token_client, token)


@pytest.fixture
async def world():
    clock = Clock()
    async with AuthorizationServer(clock=clock) as server, aiohttp.ClientSession() as session:
        server.introspection_client = server.own_tokens.check
        world = World(server, session, clock)
        yield world
        for authentication in world.closing:
            await authentication.close()


async def active(client, world):
    return (await client.introspect(world.server.issue_opaque())).active


@pytest.mark.parametrize("grant", ["client_credentials", "password"])
async def test_one_token_serves_until_shortly_before_its_end(world, grant):
    client = world.asking(ClientCredentials(world.token_client) if grant != "password" else world.password())
    for _ in range(3):
        assert await active(client, world)
    world.clock.advance(3565)
    assert await active(client, world)
    assert world.tokens.grants == [grant]
    world.clock.advance(10)
    assert await active(client, world)
    await world.server.token.called(2)
    world.clock.advance(25)
    assert await active(client, world)
    assert world.tokens.grants == [grant, grant]


@pytest.mark.parametrize("how", [Misbehaviour.STATUS_500, Misbehaviour.HANG])
async def test_a_token_serves_to_its_very_end_where_no_new_one_can_be_had(world, how):
    client = world.asking(ClientCredentials(world.token_client))
    assert await active(client, world)
    world.server.token.misbehave(how)
    world.clock.advance(3575)
    assert await active(client, world)
    await world.server.token.called(2)
    world.clock.advance(24)
    assert await active(client, world)


async def test_a_401_ends_a_token_at_once_though_no_new_one_can_be_had(world):
    client = world.asking(ClientCredentials(world.token_client))
    assert await active(client, world)
    world.tokens.revoke_all()
    world.server.token.misbehave(Misbehaviour.STATUS_500)
    for _ in range(2):
        with pytest.raises(Unavailable, match="500"):
            await active(client, world)
    assert world.server.introspection.calls == 2


async def test_a_token_of_unstated_life_is_renewed_within_a_minute(world):
    world.tokens.lifetime = None
    client = world.asking(ClientCredentials(world.token_client))
    assert await active(client, world)
    world.clock.advance(50)
    assert await active(client, world)
    assert world.server.token.calls == 1
    world.clock.advance(10)
    assert await active(client, world)
    assert world.server.token.calls == 2


async def test_a_401_renews_it_once_and_asks_once_more(world):
    client = world.asking(ClientCredentials(world.token_client))
    assert await active(client, world)
    world.tokens.revoke_all()
    assert await active(client, world)
    assert (world.server.token.calls, world.server.introspection.calls) == (2, 3)


async def test_a_second_401_is_the_end_of_it(world):
    world.server.introspection_client = lambda *_: False
    client = world.asking(ClientCredentials(world.token_client))
    with pytest.raises(Unavailable, match="401"):
        await active(client, world)
    assert (world.server.token.calls, world.server.introspection.calls) == (2, 2)


async def test_a_hundred_questions_cost_one_token(world):
    client = world.asking(ClientCredentials(world.token_client))
    assert all(await asyncio.gather(*(active(client, world) for _ in range(100))))
    assert world.server.token.calls == 1


async def test_a_hundred_refused_questions_renew_it_once(world):
    client = world.asking(ClientCredentials(world.token_client))
    assert await active(client, world)
    world.tokens.revoke_all()
    assert all(await asyncio.gather(*(active(client, world) for _ in range(100))))
    assert world.server.token.calls == 2


async def test_a_waiter_that_gives_up_does_not_stop_the_others(world):
    world.server.token.misbehave(Misbehaviour.HANG)
    client = world.asking(ClientCredentials(world.token_client))
    first, second = (asyncio.create_task(active(client, world)) for _ in range(2))
    await world.server.token.called(1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await world.server.token.behave()
    assert await second
    assert world.server.token.calls == 1


async def test_a_failed_request_is_told_to_all_and_the_next_question_asks_again(world):
    world.server.token.misbehave(Misbehaviour.STATUS_500)
    client = world.asking(ClientCredentials(world.token_client))
    outcomes = await asyncio.gather(*(active(client, world) for _ in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    await world.server.token.behave()
    assert await active(client, world)
    assert world.server.introspection.calls == 1


async def test_the_total_time_includes_that_for_the_token(world):
    world.server.token.misbehave(Misbehaviour.HANG)
    client = world.asking(ClientCredentials(world.token_client), timeout_seconds=0.2)
    with pytest.raises(Unavailable, match=r"0\.2 s"):
        await active(client, world)
    assert world.server.introspection.calls == 0


async def test_a_closed_one_stops_its_request_and_asks_no_more(world):
    world.server.token.misbehave(Misbehaviour.HANG)
    client = world.asking(ClientCredentials(world.token_client))
    question = asyncio.create_task(active(client, world))
    await world.server.token.called(1)
    await client.close()
    with pytest.raises(Unavailable, match="closed"):
        await question
    with pytest.raises(Unavailable, match="closed"):
        await active(client, world)


async def test_a_password_token_is_refreshed_with_the_newest_refresh_token(world):
    """The simulator takes each refresh token once: the old one would fail."""
    world.tokens.gives_refresh_tokens = True
    client = world.asking(world.password(world.refresh()))
    for _ in range(4):
        assert await active(client, world)
        world.clock.advance(3600)
    assert world.tokens.grants == ["password", "refresh_token", "refresh_token", "refresh_token"]


async def test_a_refresh_token_that_is_not_replaced_stays(world):
    world.tokens.gives_refresh_tokens = True
    client = world.asking(world.password(world.refresh()))
    assert await active(client, world)
    world.tokens.gives_refresh_tokens = False
    kept = set(world.tokens.refresh_tokens)
    for _ in range(2):
        world.clock.advance(3600)
        world.tokens.refresh_tokens |= kept
        assert await active(client, world)
    assert world.tokens.grants == ["password", "refresh_token", "refresh_token"]


async def test_a_password_without_refresh_is_used_again_though_a_refresh_token_came(world):
    world.tokens.gives_refresh_tokens = True
    client = world.asking(world.password())
    assert await active(client, world)
    world.clock.advance(3600)
    assert await active(client, world)
    assert world.tokens.grants == ["password", "password"]


async def test_a_configured_refresh_token_serves_where_none_comes_with_the_token(world):
    client = world.asking(world.password(world.refresh("first")))
    assert await active(client, world)
    world.clock.advance(3600)
    assert await active(client, world)
    assert world.tokens.grants == ["password", "refresh_token"]


async def test_a_refused_refresh_token_falls_back_to_the_password(world):
    world.tokens.gives_refresh_tokens = True
    client = world.asking(world.password(world.refresh()))
    assert await active(client, world)
    world.clock.advance(3600)
    world.tokens.refresh_tokens.clear()
    assert await active(client, world)
    world.clock.advance(3600)
    assert await active(client, world)
    assert world.tokens.grants == ["password", "refresh_token", "password", "refresh_token"]


async def test_a_token_endpoint_that_is_down_is_no_reason_to_send_the_password(world):
    world.tokens.gives_refresh_tokens = True
    client = world.asking(world.password(world.refresh()))
    assert await active(client, world)
    world.clock.advance(3600)
    world.tokens.override = web.Response(status=503)
    with pytest.raises(Unavailable, match="503"):
        await active(client, world)
    assert await active(client, world)
    assert world.tokens.grants == ["password", "refresh_token", "refresh_token"]


async def test_a_direct_token_serves_until_it_is_refused_and_is_then_refreshed(world):
    world.tokens.gives_refresh_tokens = True
    client = world.asking(DirectToken(world.tokens.issue(), world.refresh("first")))
    assert await active(client, world)
    assert world.tokens.grants == []
    world.clock.advance(3601)
    assert await active(client, world)
    world.clock.advance(3601)
    assert await active(client, world)
    assert world.tokens.grants == ["refresh_token", "refresh_token"]
    assert [request["refresh_token"] == "first" for request in world.tokens.requests] == [True, False]


async def test_a_direct_token_that_cannot_be_refreshed_says_what_to_do(world):
    client = world.asking(DirectToken("expired", Refresh(world.token_client, "used-up")))
    for _ in range(2):
        with pytest.raises(InvalidGrant, match="give new ones") as unavailable:
            await active(client, world)
        assert "used-up" not in repr(unavailable.value)


async def test_no_token_is_printed(world):
    token = world.tokens.issue()
    authentication = BearerAuthentication(DirectToken(token, world.refresh("first")), world.clock)
    proof = await authentication.prove(world.server.introspection_endpoint)
    assert proof.headers["Authorization"] == f"Bearer {token}"
    assert token not in repr(proof) + repr(authentication)
    await authentication.close()
