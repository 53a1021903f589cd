"""Who is asked about at the userinfo endpoint, and how long an answer is used."""

import asyncio
from dataclasses import replace

import pytest

from extauthz.authn.issuers import Issuers
from extauthz.authn.users import Users
from extauthz.model.check import Principal
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager, Userinfo
from extauthz.model.token import Claims, TokenFacts, TokenForm
from extauthz.model.user import NO_USER

KEY_MANAGER = KeyManager(
    id="km",
    issuer="https://issuer.example",
    userinfo=Userinfo(endpoint="https://issuer.example/userinfo", ttl_seconds=300),
    claim_mapping={"mail": "email"},
)


class Endpoint:
    """Says of everybody the same, once it is let."""

    def __init__(self):
        self.asked = []
        self.failure = None
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def claims(self, token, subject):
        self.asked.append((token, subject))
        self.was_asked.set()
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return Claims({"sub": subject, "mail": f"{subject}@example.com", "n": len(self.asked)})


class Connections:
    """Ways to issuers that only know about users."""

    def __init__(self, endpoint):
        self._endpoint = endpoint

    async def published_keys(self, key_manager):
        return None

    def introspector(self, key_manager, keys):
        return None

    def userinfo(self, key_manager):
        return self._endpoint if key_manager.userinfo else None

    def decryption(self, key_manager):
        return None


class MovedClock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
async def issuers(endpoint, clock):
    issuers = Issuers(Connections(endpoint), clock)
    await issuers.adopt(await issuers.prepare([KEY_MANAGER]))
    return issuers


@pytest.fixture
def users(issuers, clock):
    return Users(issuers, clock, entries=2)


def user(subject="alice", *, token="abc", key_manager=KEY_MANAGER, client_id="client", **claims):  # noqa: S107 - a test's
    facts = TokenFacts(form=TokenForm.JWT, believe_until=2e9, subject=subject, client_id=client_id, claims=claims)
    return Principal(key_manager=key_manager, facts=facts, token_key=f"key of {token}".encode(), token=token)


async def test_a_user_is_asked_about_once_with_the_token_that_came(users, endpoint):
    assert users.known(user()) is None
    facts = await users.of(user())

    assert facts.claims == {"sub": "alice", "email": "alice@example.com", "n": 1}, "under our names"
    assert (await users.of(user()), users.known(user())) == (facts, facts)
    assert endpoint.asked == [("abc", "alice")]


@pytest.mark.parametrize(
    "principal",
    [
        user(None),
        user(""),
        user("client"),
        user(key_manager=replace(KEY_MANAGER, userinfo=None)),
        user(key_manager=None),
    ],
    ids=["no subject", "empty subject", "client on its own behalf", "no userinfo", "no token"],
)
async def test_nobody_is_asked_where_there_is_no_user_or_nobody_who_knows(users, endpoint, principal):
    assert users.known(principal) is NO_USER
    assert await users.of(principal) is NO_USER
    assert endpoint.asked == []


@pytest.mark.parametrize("cnf", [{"jkt": "k"}, {"x5t#S256": "c"}, None])
async def test_a_bound_token_is_refused_and_sent_nowhere(users, endpoint, cnf):
    """Skipping the question would let the caller choose what the upstream is told."""
    with pytest.raises(Denied) as refused:
        await users.of(user(cnf=cnf))

    assert refused.value.reason is Reason.INVALID_TOKEN
    assert endpoint.asked == []


async def test_an_answer_is_used_for_its_time(users, endpoint, clock):
    facts = await users.of(user())
    assert facts.use_until == clock.now + 300
    clock.now += 299.9
    assert users.known(user()) is facts
    clock.now += 0.1
    assert users.known(user()) is None
    assert (await users.of(user())).claims["n"] == 2


async def test_the_time_of_an_answer_begins_with_the_question(users, endpoint, clock):
    endpoint.may_answer.clear()
    asking = asyncio.create_task(users.of(user()))
    await endpoint.was_asked.wait()
    clock.now += 10
    endpoint.may_answer.set()

    assert (await asking).use_until == clock.now + 290


async def test_a_clock_that_was_set_back_brings_out_no_answer_of_the_future(users, clock):
    await users.of(user())
    clock.now -= 1
    assert users.known(user()) is None


@pytest.mark.parametrize("failure", [Denied(Reason.TOKEN_INACTIVE), Unavailable("userinfo")])
async def test_a_failure_is_not_remembered(users, endpoint, failure):
    endpoint.failure = failure
    for _ in range(2):
        with pytest.raises(type(failure)):
            await users.of(user())
    endpoint.failure = None

    assert (await users.of(user())).claims["n"] == 3


async def test_requests_that_come_together_ask_once(users, endpoint):
    endpoint.may_answer.clear()
    asking = [asyncio.create_task(users.of(user())) for _ in range(5)]
    await endpoint.was_asked.wait()
    endpoint.may_answer.set()

    assert {id(facts) for facts in await asyncio.gather(*asking)} == {id(await users.of(user()))}
    assert len(endpoint.asked) == 1


async def test_each_token_is_asked_about_by_itself(users, endpoint):
    """Two tokens of one user may differ in what they may learn."""
    await users.of(user(token="one"))
    await users.of(user(token="two"))

    assert endpoint.asked == [("one", "alice"), ("two", "alice")]


async def test_the_least_recently_used_answer_leaves_first(users):
    one, two, three = (user(token=token) for token in ("one", "two", "three"))
    for principal in (one, two, one, three):
        await users.of(principal)

    assert [users.known(principal) is None for principal in (one, two, three)] == [False, True, False]


async def test_the_token_is_not_kept(users):
    await users.of(user(token="s3cret"))

    assert "s3cret" not in repr(user(token="s3cret")) + repr(users.known(user(token="s3cret")))


async def test_a_key_manager_that_has_changed_meanwhile_is_unavailable(users, issuers):
    await issuers.adopt({})
    with pytest.raises(Unavailable):
        await users.of(user())


async def test_what_is_closed_asks_nobody(users, endpoint):
    await users.close()
    with pytest.raises(Unavailable):
        await users.of(user())
    assert endpoint.asked == []
