"""What holds of revocations wherever they are kept: alone in memory, or in a Redis that replicas share."""

import asyncio

import pytest
from support.clock import Clock
from support.revocations import HeldRevocations, redis_channel, running_replica

from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.revocation import Revocation, RevocationForm

KM = KeyManager(id="km", issuer="https://issuer")
TOKEN, OTHER = "token", "other"


@pytest.fixture
def clock():
    return Clock()


REDIS = [pytest.param(kind, marks=pytest.mark.external_service) for kind in ("valkey", "sentinel", "cluster")]


@pytest.fixture(params=["memory", *REDIS])
async def held(request, clock, redis_options):
    if request.param == "memory":
        yield HeldRevocations.alone(clock)
        return
    options = redis_options(request.param)
    channel = redis_channel(options.servers, prefix=options.prefix)
    await channel.initialise()
    await channel.close()
    async with running_replica(options.servers, clock, prefix=options.prefix) as replica:
        await replica.ready()
        yield replica.held


def facts(**members):
    return TokenFacts(form=TokenForm.INTROSPECTED, believe_until=0, **members)


def revocation(form, value, **times):
    return Revocation(key_manager="km", form=form, value=value, **times)


async def test_what_was_revoked_is_revoked_when_the_call_returns(held):
    assert not held.check.is_revoked(TOKEN, KM, facts())
    await held.revoker.revoke([revocation(RevocationForm.TOKEN, "token")])
    assert held.check.is_revoked(TOKEN, KM, facts())
    assert not held.check.is_revoked(OTHER, KM, facts())


async def test_revoking_again_changes_nothing(held, clock):
    what = [revocation(RevocationForm.TOKEN, "token", expires_at=clock() + 10)]
    await held.revoker.revoke(what)
    before = held.revoked.entries()
    await held.revoker.revoke(what)
    assert held.revoked.entries() == before


async def test_several_are_revoked_in_one_call(held):
    await held.revoker.revoke([revocation(RevocationForm.TOKEN_ID, str(n)) for n in range(1200)])
    assert all(held.check.is_revoked(TOKEN, KM, facts(token_id=str(n))) for n in range(1200))


async def test_a_revocation_holds_until_the_token_ends(held, clock):
    await held.revoker.revoke([revocation(RevocationForm.TOKEN, "token", expires_at=clock() + 100)])
    clock.advance(100 + 299)
    assert held.check.is_revoked(TOKEN, KM, facts())
    clock.advance(2)
    assert not held.check.is_revoked(TOKEN, KM, facts())
    assert len(held.revoked) == 0


async def test_a_later_revocation_of_a_client_includes_the_earlier(held, clock):
    now = clock()
    for until in (now - 10, now, now - 20):
        await held.revoker.revoke([revocation(RevocationForm.CLIENT, "client", issued_until=until)])
    assert held.check.is_revoked(TOKEN, KM, facts(client_id="client", issued_at=now))
    assert not held.check.is_revoked(TOKEN, KM, facts(client_id="client", issued_at=now + 1))


async def test_many_may_revoke_at_one_time(held):
    await asyncio.gather(
        *(held.revoker.revoke([revocation(RevocationForm.SUBJECT, str(n), issued_until=10.0)]) for n in range(200))
    )
    assert all(held.check.is_revoked(TOKEN, KM, facts(subject=str(n), issued_at=9.0)) for n in range(200))
