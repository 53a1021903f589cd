"""What a replica does with changes of key managers: keys first, then the catalog."""

import pytest
from support.authorization_server import AuthorizationServer
from support.catalogs import contents, key_manager
from support.deciding import deciding, key_manager_of
from support.decisions import GOOD, allowed, refused

from extauthz.catalog.building import built
from extauthz.catalog.changes import Change, identity_of
from extauthz.document.mistakes import DocumentError, UnreadyDocumentError
from extauthz.model.errors import Reason


@pytest.fixture
async def world(server):
    async with deciding(server) as running:
        yield running


def change(entity, *, removed=False):
    return Change(identity=identity_of(entity), entity=None if removed else entity)


def stored(**settings):
    return contents(key_managers=[key_manager(**settings)], applications=[], subscriptions=[]).key_managers[0]


async def test_a_key_manager_of_a_change_can_be_used_at_once(server, world):
    async with AuthorizationServer() as other:
        found = contents(key_managers=[key_manager_of(server), key_manager_of(other, id="other", introspection=None)])
        token = other.issue_jwt(**GOOD)
        refused(await world.check(token), Reason.INVALID_TOKEN)
        await world.updates.apply([[change(found.key_managers[1])]])
        # It is known, but has no application there.
        refused(await world.check(token), Reason.RESOURCE_FORBIDDEN)
        await world.updates.apply([[change(found.key_managers[1], removed=True)]])
        refused(await world.check(token), Reason.INVALID_TOKEN)
        allowed(await world.check(server.issue_jwt(**GOOD)))


async def test_a_change_with_a_key_manager_that_cannot_be_used_here_changes_nothing(server, world):
    basic = {"basic": {"username": "u", "password": "nobody knows"}}
    unusable = stored(id="other", jwt=None, introspection={"endpoint": "https://other/i", "authentication": basic})
    subscription = contents().subscriptions[0]
    with pytest.raises(DocumentError, match="nobody knows") as caught:
        await world.updates.apply([[change(subscription, removed=True)], [change(unusable)]])
    assert not isinstance(caught.value, UnreadyDocumentError)
    allowed(await world.check(server.issue_jwt(**GOOD)))


async def test_a_catalog_whose_issuer_does_not_answer_may_do_later(server, world):
    silent = stored(id="other", issuer="http://127.0.0.1:9", jwt={"discovery": True})
    indexes = await built([silent])
    with pytest.raises(UnreadyDocumentError):
        await world.updates.replace(indexes)
    allowed(await world.check(server.issue_jwt(**GOOD)))


async def test_health_tells_the_source_apart_from_the_catalog(world):
    world.updates.report(following=False, detail="redis does not answer", revision=None)
    assert world.health.components["catalog"].ok
    source = world.health.components["catalog_source"]
    assert (source.ok, source.essential, source.detail) == (False, False, "redis does not answer")
    world.updates.report(following=True, detail="revision 2", revision=2)
    assert world.health.components["catalog_source"].ok


async def test_the_revision_is_that_which_the_source_says_and_not_what_its_text_says(world):
    assert world.updates.revision is None
    world.updates.report(following=True, detail="all is well", revision=7)
    assert world.updates.revision == 7
    world.updates.report(following=False, detail="revision 8 does not follow 6", revision=7)
    assert world.updates.revision == 7


async def test_a_change_is_told_with_its_time_and_a_refused_one_is_not(world):
    first = world.updates.changed_at
    assert first is not None
    await world.updates.apply([[change(contents().subscriptions[0], removed=True)]])
    second = world.updates.changed_at
    assert second > first
    basic = {"basic": {"username": "u", "password": "nobody knows"}}
    unusable = stored(id="other", jwt=None, introspection={"endpoint": "https://other/i", "authentication": basic})
    with pytest.raises(DocumentError, match="nobody knows"):
        await world.updates.apply([[change(unusable)]])
    assert world.updates.changed_at == second
