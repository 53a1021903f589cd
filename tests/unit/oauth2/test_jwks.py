"""The JWK set client: when it fetches, what it keeps, and whom it refuses."""

import asyncio

import aiohttp
import pytest
from support.authorization_server import AuthorizationServer, Misbehaviour

from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.oauth2.bounded_http import HttpLimits
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.jwks import MAX_CANDIDATES, MAX_UNKNOWN, JwksClient, RefreshTimes

TIMES = RefreshTimes(lifetime_seconds=300, ahead_seconds=60, cooldown_seconds=30, retry_seconds=1, keep_seconds=3600)
# Long enough for any machine; only the tests of a hanging server wait for it, with a limit of their own.
PATIENT = HttpLimits(timeout_seconds=60, max_bytes=512 * 1024)
IMPATIENT = HttpLimits(timeout_seconds=0.2, max_bytes=512 * 1024)


class ManualClock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def server():
    async with AuthorizationServer() as server:
        yield server


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def client(server, session, clock):
    client = JwksClient(server.jwks_uri, session, clock, times=TIMES, limits=PATIENT)
    yield client
    await client.close()


async def only_key(client: JwksClient, kid: str | None, alg: str) -> VerificationKey:
    """The key, where exactly one may be found."""
    (key,) = await client.keys(kid, alg)
    return key


async def until_refreshed(client: JwksClient, server: AuthorizationServer, calls: int) -> None:
    """Wait for the background fetch: an unknown `kid` joins the one under way."""
    await server.jwks.called(calls)
    await asyncio.gather(only_key(client, "no such key", "RS256"), return_exceptions=True)


async def refusal(client: JwksClient, kid: str | None = "forged", alg: str = "RS256") -> Reason:
    with pytest.raises(Denied) as denied:
        await only_key(client, kid, alg)
    return denied.value.reason


async def test_the_first_use_fetches_and_later_ones_do_not(client, server):
    assert server.jwks.calls == 0
    for _ in range(3):
        assert (await only_key(client, "key-1", "RS256")).kid == "key-1"
    assert server.jwks.calls == 1


async def test_concurrent_first_uses_share_one_fetch(client, server):
    keys = await asyncio.gather(*(only_key(client, "key-1", "RS256") for _ in range(20)))
    assert {key.kid for key in keys} == {"key-1"}
    assert server.jwks.calls == 1


async def test_a_cancelled_waiter_does_not_cancel_the_fetch(client, server):
    server.jwks.misbehave(Misbehaviour.HANG)
    first, second = (asyncio.create_task(only_key(client, "key-1", "RS256")) for _ in range(2))
    await server.jwks.called(1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await server.jwks.behave()
    assert (await second).kid == "key-1"
    assert server.jwks.calls == 1


async def test_a_key_is_refreshed_in_the_background_ahead_of_its_end(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(239)
    await only_key(client, "key-1", "RS256")
    assert server.jwks.calls == 1
    clock.advance(2)
    server.jwks.misbehave(Misbehaviour.HANG)
    # Answered at once, although the fetch that it began hangs.
    assert await only_key(client, "key-1", "RS256")
    await server.jwks.called(2)
    await server.jwks.behave()


async def test_a_withdrawn_key_is_refused_after_the_refresh(client, server, clock):
    old = await only_key(client, "key-1", "RS256")
    assert client.is_trusted(old.thumbprint)
    server.rotate(keep_old=False)
    clock.advance(241)
    assert client.is_trusted(old.thumbprint)
    await until_refreshed(client, server, 2)
    assert not client.is_trusted(old.thumbprint)
    assert await refusal(client, "key-1") is Reason.INVALID_TOKEN


async def test_a_set_past_its_lifetime_is_not_trusted_before_the_issuer_was_asked(client, server, clock):
    old = await only_key(client, "key-1", "RS256")
    server.rotate(keep_old=False)
    clock.advance(10_000)
    assert not client.is_trusted(old.thumbprint)
    assert await refusal(client, "key-1") is Reason.INVALID_TOKEN
    assert server.jwks.calls == 2


async def test_looking_at_trust_alone_keeps_the_set_fresh(client, server, clock):
    key = await only_key(client, "key-1", "RS256")
    clock.advance(250)
    assert client.is_trusted(key.thumbprint)
    await until_refreshed(client, server, 2)
    clock.advance(100)
    assert client.is_trusted(key.thumbprint)


async def test_a_key_that_was_never_fetched_is_not_trusted(client):
    assert not client.is_trusted("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")


async def test_a_new_key_is_found_after_the_cooldown(client, server, clock):
    await only_key(client, "key-1", "RS256")
    new = server.rotate()
    assert await refusal(client, new.kid) is Reason.INVALID_TOKEN
    clock.advance(31)
    assert (await only_key(client, new.kid, "RS256")).kid == new.kid
    assert server.jwks.calls == 2


async def test_a_flood_of_unknown_keys_costs_one_fetch_a_cooldown_while_good_tokens_pass(client, server, clock):
    await only_key(client, "key-1", "RS256")
    for minute in range(1, 4):
        clock.advance(31)
        for number in range(50):
            assert await refusal(client, f"forged-{minute}-{number}") is Reason.INVALID_TOKEN
            assert (await only_key(client, "key-1", "RS256")).kid == "key-1"
        assert server.jwks.calls == 1 + minute


async def test_a_flood_of_unknown_keys_at_once_costs_one_fetch(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(31)
    outcomes = await asyncio.gather(
        *(only_key(client, f"forged-{number}", "RS256") for number in range(50)), return_exceptions=True
    )
    assert all(isinstance(outcome, Denied) for outcome in outcomes)
    assert server.jwks.calls == 2


async def test_the_cooldown_counts_from_failed_attempts_too(client, server, clock):
    await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    clock.advance(31)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await only_key(client, "new", "RS256")
        assert (await only_key(client, "key-1", "RS256")).kid == "key-1"
    assert server.jwks.calls == 2


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
async def test_a_failed_refresh_keeps_the_keys(client, server, clock, misbehaviour):
    key = await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(misbehaviour)
    clock.advance(301)
    assert await only_key(client, "key-1", "RS256") == key
    assert client.is_trusted(key.thumbprint)
    assert server.jwks.calls >= 2


async def test_after_a_failed_refresh_nobody_waits_for_the_next_one(client, server, clock):
    await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    clock.advance(301)
    await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(Misbehaviour.HANG)
    clock.advance(31)
    assert (await only_key(client, "key-1", "RS256")).kid == "key-1"
    await server.jwks.called(3)
    await server.jwks.behave()


async def test_a_dead_issuer_is_asked_once_a_cooldown_while_its_keys_are_in_use(client, server, clock):
    await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    clock.advance(301)
    for _ in range(5):
        assert await only_key(client, "key-1", "RS256")
        # Joins a fetch if one is under way.
        with pytest.raises(Unavailable):
            await only_key(client, "new", "RS256")
    assert server.jwks.calls == 2


async def test_an_issuer_that_is_back_is_believed_again(client, server, clock):
    await only_key(client, "key-1", "RS256")
    server.jwks.misbehave(Misbehaviour.STATUS_500)
    clock.advance(301)
    await only_key(client, "key-1", "RS256")
    await server.jwks.behave()
    clock.advance(31)
    # Invalid, no longer unavailable: the issuer has been asked.
    assert await refusal(client) is Reason.INVALID_TOKEN
    assert server.jwks.calls == 3


async def test_keys_of_a_dead_issuer_are_dropped_in_the_end(client, server, clock):
    key = await only_key(client, "key-1", "RS256")
    await server.go_down()
    clock.advance(3599)
    assert await only_key(client, "key-1", "RS256") == key
    clock.advance(2)
    with pytest.raises(Unavailable):
        await only_key(client, "key-1", "RS256")
    assert not client.is_trusted(key.thumbprint)


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.STATUS_500,
        Misbehaviour.HTML,
        Misbehaviour.HUGE,
        Misbehaviour.REDIRECT,
        Misbehaviour.DISCONNECT,
    ],
)
async def test_without_any_keys_a_wrong_answer_is_unavailable(client, server, misbehaviour):
    server.jwks.misbehave(misbehaviour)
    with pytest.raises(Unavailable) as unavailable:
        await only_key(client, "key-1", "RS256")
    assert unavailable.value.component == "jwks"


async def test_a_hanging_issuer_is_unavailable_within_the_timeout(server, session, clock):
    server.jwks.misbehave(Misbehaviour.HANG)
    client = JwksClient(server.jwks_uri, session, clock, times=TIMES, limits=IMPATIENT)
    with pytest.raises(Unavailable, match=r"0\.2 s"):
        await only_key(client, "key-1", "RS256")
    await client.close()


async def test_a_dead_issuer_is_not_hammered_and_recovers(client, server, clock):
    server.jwks.misbehave(Misbehaviour.STATUS_503)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await only_key(client, "key-1", "RS256")
    assert server.jwks.calls == 1
    clock.advance(1.1)
    await server.jwks.behave()
    assert (await only_key(client, "key-1", "RS256")).kid == "key-1"
    assert server.jwks.calls == 2


async def test_an_issuer_that_refuses_connections_is_unavailable_until_it_is_back(client, server, clock):
    await server.go_down()
    with pytest.raises(Unavailable):
        await only_key(client, "key-1", "RS256")
    await server.come_back()
    clock.advance(1.1)
    assert await only_key(client, "key-1", "RS256")


async def test_without_a_kid_the_only_fitting_key_is_taken(client, server):
    server.issue_jwt(alg="ES256")
    assert (await only_key(client, None, "ES256")).alg == "ES256"
    assert (await only_key(client, None, "RS256")).alg == "RS256"


async def test_without_a_kid_each_of_a_few_fitting_keys_may_be_tried(client, server):
    """As while an issuer rotates that names no `kid`."""
    old, new = server.signing_key, server.rotate()
    assert {key.kid for key in await client.keys(None, "RS256")} == {old.kid, new.kid}
    assert server.jwks.calls == 1


async def test_without_a_kid_more_keys_than_a_token_is_worth_are_refused(client, server):
    for _ in range(MAX_CANDIDATES):
        server.rotate()
    assert await refusal(client, None) is Reason.INVALID_TOKEN
    assert server.jwks.calls == 1


async def test_a_kid_whose_key_has_another_type_is_refused(client):
    assert await refusal(client, "key-1", "ES256") is Reason.INVALID_TOKEN


async def test_two_keys_under_one_kid_may_both_be_tried(client, server):
    new = server.rotate()
    server.extra_jwks.append({**new.jwk(), "kid": "key-1"})
    assert len(await client.keys("key-1", "RS256")) == 2


async def test_an_issuer_without_usable_keys_refuses_every_token(client, server):
    server.rotate(keep_old=False)
    server.extra_jwks.append({"kty": "oct", "k": "c2VjcmV0", "kid": "secret"})
    assert await refusal(client, "secret", "HS256") is Reason.INVALID_TOKEN


async def test_a_clock_that_goes_back_does_not_stop_refreshes(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(-10_000)
    assert await only_key(client, "key-1", "RS256")
    await until_refreshed(client, server, 2)


async def test_closing_ends_a_fetch_and_its_waiters(client, server, clock):
    server.jwks.misbehave(Misbehaviour.HANG)
    waiter = asyncio.create_task(only_key(client, "key-1", "RS256"))
    await server.jwks.called(1)
    await client.close()
    with pytest.raises(Unavailable):
        await waiter
    await server.jwks.behave()
    clock.advance(10)
    with pytest.raises(Unavailable):
        await only_key(client, "key-1", "RS256")
    assert server.jwks.calls == 1


async def test_a_closed_session_is_unavailable(server, clock):
    session = aiohttp.ClientSession()
    await session.close()
    client = JwksClient(server.jwks_uri, session, clock)
    with pytest.raises(Unavailable):
        await only_key(client, "key-1", "RS256")


@pytest.mark.parametrize(
    "url", ["http://", "nonsense", "http://[::1", "ftp://127.0.0.1/jwks", "http://127.0.0.1:99999/"]
)
async def test_an_impossible_address_is_unavailable(session, clock, url):
    client = JwksClient(url, session, clock)
    with pytest.raises(Unavailable):
        await only_key(client, "key-1", "RS256")


@pytest.mark.parametrize(
    "times",
    [
        {"lifetime_seconds": 0},
        {"lifetime_seconds": 10, "ahead_seconds": 10},
        {"keep_seconds": 10},
        {"cooldown_seconds": 0},
        {"retry_seconds": 0},
    ],
)
def test_times_that_contradict_each_other_are_refused(times):
    with pytest.raises(ValueError):
        RefreshTimes(**times)


async def test_a_kid_that_was_asked_for_in_vain_is_not_asked_for_again_for_a_while(client, server, clock):
    assert await refusal(client, "forged") is Reason.INVALID_TOKEN
    clock.advance(31)
    assert await refusal(client, "forged") is Reason.INVALID_TOKEN
    asked = server.jwks.calls
    clock.advance(31)
    assert await refusal(client, "forged") is Reason.INVALID_TOKEN
    assert server.jwks.calls == asked
    clock.advance(121)
    assert await refusal(client, "forged") is Reason.INVALID_TOKEN
    assert server.jwks.calls == asked + 1


async def test_a_kid_that_comes_to_be_one_is_found_by_the_regular_refresh(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(31)
    assert await refusal(client, "key-2") is Reason.INVALID_TOKEN
    server.rotate()
    clock.advance(100)
    assert await refusal(client, "key-2") is Reason.INVALID_TOKEN
    clock.advance(150)
    await only_key(client, "key-1", "RS256")
    await until_refreshed(client, server, 3)
    assert (await only_key(client, "key-2", "RS256")).kid == "key-2"


async def test_the_memory_of_unknown_kids_is_bounded(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(31)
    server.jwks.misbehave(Misbehaviour.HANG)
    flood = [asyncio.create_task(refusal(client, f"forged-{number}")) for number in range(MAX_UNKNOWN + 10)]
    await server.jwks.called(2)
    await server.jwks.behave()
    await asyncio.gather(*flood)
    clock.advance(31)
    assert await refusal(client, f"forged-{MAX_UNKNOWN + 9}") is Reason.INVALID_TOKEN
    assert server.jwks.calls == 2
    assert await refusal(client, "forged-0") is Reason.INVALID_TOKEN
    assert server.jwks.calls == 3


async def test_keys_are_at_hand_once_they_were_fetched_and_while_they_may_be_trusted(client, server, clock):
    assert client.at_hand("key-1", "RS256") == ()
    assert server.jwks.calls == 0
    key = await only_key(client, "key-1", "RS256")
    assert client.at_hand("key-1", "RS256") == (key,)
    assert client.at_hand("no such key", "RS256") == ()
    assert client.at_hand("key-1", "ES256") == ()
    clock.advance(TIMES.lifetime_seconds)
    assert client.at_hand("key-1", "RS256") == ()


async def test_looking_for_keys_at_hand_keeps_the_set_fresh(client, server, clock):
    await only_key(client, "key-1", "RS256")
    clock.advance(TIMES.lifetime_seconds - 1)
    assert client.at_hand("key-1", "RS256") != ()
    await until_refreshed(client, server, 2)
