"""What is held of a token says the same at once as by the way that can wait, or nothing."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from support.revocations import HeldRevocations

from extauthz.authn.known_tokens import KnownTokens
from extauthz.cache.keys import CacheKeys
from extauthz.cache.memory import MemoryCache
from extauthz.cache.tiered import TieredCache
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import JwtValidation, KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import Revocation, RevocationForm

KEYS = CacheKeys([b"s" * 32])
TOKEN = KEYS.named("a.b.c")
JWT = JwtValidation(audiences=frozenset({"us"}), token_types=frozenset({"at+jwt"}))
KM = KeyManager(id="km", issuer="https://issuer", jwt=JWT, fingerprint=b"one")
NOW = 1_000_000.0
GOOD = TokenFacts(
    form=TokenForm.JWT,
    believe_until=NOW + 300,
    issuer="https://issuer",
    subject="alice",
    audiences=frozenset({"us"}),
    expires_at=NOW + 600,
    issued_at=NOW - 10,
    token_type="at+jwt",
    signing_key="key",
)


class StoppedClock:
    """Stands still until a test moves it."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class World:
    """Known tokens that learn one answer, and count how often they ask."""

    def __init__(self, *, retention_seconds=86_400.0):
        self.clock = StoppedClock()
        self.revocations = HeldRevocations.alone(self.clock, retention=Retention(seconds=retention_seconds))
        self.known = KnownTokens(
            cache=TieredCache(MemoryCache(entries=10, negative_entries=10, clock=self.clock)),
            keys=KEYS,
            clock=self.clock,
            revocations=self.revocations.check,
            refused=MemoryCache(entries=1, negative_entries=10, clock=self.clock),
        )
        self.asked = 0
        self.answer = GOOD

    async def learn(self):
        self.asked += 1
        return self.answer

    async def by_waiting(self, key_manager=KM, trusts=None):
        return await self.known.principal(TOKEN, key_manager, self.learn, trusts=trusts)

    def at_once(self, answer=GOOD, key_manager=KM):
        def learn():
            self.asked += 1
            return answer

        return self.known.learned(TOKEN, key_manager, learn)

    async def knows(self, answer):
        """Lets it learn, whatever is then said of the token."""
        self.answer = answer
        try:
            await self.by_waiting()
        except Denied as denied:
            return denied.reason
        return None


async def test_what_is_not_known_is_not_said_at_once():
    assert World().known.held(TOKEN, KM) is None


async def test_a_known_token_has_the_same_holder_at_once():
    world = World()
    waited = await world.by_waiting()
    held = world.known.held(TOKEN, KM, lambda thumbprint: thumbprint == "key")
    assert held == waited
    assert (waited.token, waited.key_manager, waited.facts) == ("a.b.c", KM, GOOD)
    assert world.asked == 1


@pytest.mark.parametrize(
    "other", [replace(KM, id="other"), replace(KM, organization="other"), replace(KM, fingerprint=b"two")]
)
async def test_a_fact_of_one_key_manager_is_none_of_another(other):
    world = World()
    await world.by_waiting()
    assert world.known.held(TOKEN, other) is None


JUDGED = pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"refusal": Reason.TOKEN_INACTIVE}, Reason.TOKEN_INACTIVE),
        ({"refusal": Reason.WRONG_TOKEN_TYPE}, Reason.WRONG_TOKEN_TYPE),
        ({"expires_at": NOW}, Reason.TOKEN_EXPIRED),
        ({"not_before": NOW + 10}, Reason.INVALID_TOKEN),
        ({"issuer": "https://other"}, Reason.INVALID_TOKEN),
        ({"audiences": frozenset({"them"})}, Reason.INVALID_TOKEN),
        ({"token_type": "jwt"}, Reason.WRONG_TOKEN_TYPE),
    ],
)


@JUDGED
async def test_what_is_held_is_judged_as_what_was_learned(changes, reason):
    world = World()
    assert await world.knows(changed(GOOD, **changes)) is reason
    if reason is None:
        assert world.known.held(TOKEN, KM) is not None
        return
    with pytest.raises(Denied) as denied:
        world.known.held(TOKEN, KM)
    assert denied.value.reason is reason
    assert world.asked == 1


async def test_what_is_held_is_judged_by_the_time_of_now():
    world = World()
    await world.knows(changed(GOOD, expires_at=NOW + 100))
    assert world.known.held(TOKEN, KM) is not None
    world.clock.now += 100
    with pytest.raises(Denied) as denied:
        world.known.held(TOKEN, KM)
    assert denied.value.reason is Reason.TOKEN_EXPIRED


async def test_a_fact_past_its_time_is_not_said():
    world = World()
    await world.by_waiting()
    world.clock.now += 300
    assert world.known.held(TOKEN, KM) is None


async def test_a_fact_of_a_key_that_is_not_trusted_any_more_is_not_said_and_is_learned_again():
    world = World()
    await world.by_waiting()
    assert world.known.held(TOKEN, KM, lambda _: False) is None
    await world.by_waiting(trusts=lambda _: False)
    assert world.asked == 2


@pytest.mark.parametrize(
    ("form", "value", "times"),
    [(RevocationForm.TOKEN, "a.b.c", {}), (RevocationForm.SUBJECT, "alice", {"issued_until": NOW})],
)
async def test_a_token_that_is_revoked_is_not_said_at_once_and_then_refused(form, value, times):
    world = World()
    await world.by_waiting()
    await world.revocations.revoker.revoke([Revocation(key_manager="km", form=form, value=value, **times)])
    assert world.known.held(TOKEN, KM) is None
    assert await world.knows(GOOD) is Reason.TOKEN_INACTIVE
    assert world.known.held(TOKEN, KM) is None


async def test_a_token_that_outlives_its_revocation_is_not_said_at_once():
    world = World(retention_seconds=60.0)
    assert await world.knows(GOOD) is Reason.INVALID_TOKEN
    assert world.known.holds(TOKEN, KM)
    assert world.known.held(TOKEN, KM) is None


async def test_before_the_revocations_of_the_past_are_known_nothing_passes():
    world = World()
    await world.by_waiting()
    world.revocations.revoked.known = False
    with pytest.raises(Unavailable):
        world.known.held(TOKEN, KM)


async def test_what_is_learned_at_once_is_what_is_learned_by_waiting_and_is_held():
    world = World()
    learned = world.at_once()
    assert learned == await World().by_waiting()
    assert world.known.held(TOKEN, KM) == learned
    assert await world.by_waiting() == learned
    assert world.asked == 1


@JUDGED
async def test_what_is_learned_at_once_is_judged_as_what_is_learned_by_waiting(changes, reason):
    world = World()
    if reason is None:
        assert world.at_once(changed(GOOD, **changes)) is not None
        return
    with pytest.raises(Denied) as denied:
        world.at_once(changed(GOOD, **changes))
    assert denied.value.reason is reason
    with pytest.raises(Denied):  # remembered: nobody learns it again
        world.known.held(TOKEN, KM)
    assert world.asked == 1


async def test_what_cannot_be_learned_at_once_is_left_to_waiting():
    world = World()
    assert world.at_once(None) is None
    assert not world.known.holds(TOKEN, KM)
    assert (await world.by_waiting()).facts == GOOD


async def test_a_token_that_is_known_is_not_learned_at_once_again():
    world = World()
    await world.by_waiting()
    assert world.at_once() is None
    assert world.asked == 1


async def test_a_token_that_is_revoked_by_itself_is_not_learned_at_once():
    world = World()
    await world.revocations.revoker.revoke([Revocation(key_manager="km", form=RevocationForm.TOKEN, value="a.b.c")])
    with pytest.raises(Denied) as denied:
        world.at_once()
    assert denied.value.reason is Reason.TOKEN_INACTIVE
    assert world.asked == 0


async def test_a_token_that_is_revoked_by_what_it_says_is_learned_at_once_and_refused_by_waiting():
    world = World()
    revocation = Revocation(key_manager="km", form=RevocationForm.SUBJECT, value="alice", issued_until=NOW)
    await world.revocations.revoker.revoke([revocation])
    assert world.at_once() is None
    assert await world.knows(GOOD) is Reason.TOKEN_INACTIVE
    assert world.at_once() is None
    assert world.asked == 1


async def test_a_token_that_outlives_its_revocation_is_not_accepted_at_once():
    world = World(retention_seconds=60.0)
    assert world.at_once() is None
    assert await world.knows(GOOD) is Reason.INVALID_TOKEN


async def test_before_the_revocations_of_the_past_are_known_nothing_is_learned():
    world = World()
    world.revocations.revoked.known = False
    with pytest.raises(Unavailable):
        world.at_once()
    assert world.asked == 0
