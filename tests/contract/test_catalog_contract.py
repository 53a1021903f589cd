"""What holds for a replica's catalog, whatever store it follows."""

import pytest
from structlog.testing import capture_logs
from support.catalog_replica import following
from support.catalog_stores import MemoryStore
from support.catalogs import api, application, contents
from support.redis_catalogs import spoiled_store
from support.valkey import ValkeyServer

from extauthz.catalog.changes import Kind
from extauthz.catalog.follower import Patience
from extauthz.catalog.precedence import EMPTY, NO_CATALOG
from extauthz.document.mistakes import DocumentError, Mistake, UnreadyDocumentError

WHOLE = tuple(contents().entities())
SUBSCRIPTION = contents().subscriptions[0]
PETSTORE = contents().apis[0]
NEWS_ALONE = Patience(reconcile_seconds=3600.0)
"""Whoever hears of a change in time has heard it as news."""


@pytest.fixture
async def in_redis():
    async with ValkeyServer() as valkey, spoiled_store(valkey) as running:
        yield running


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.external_service)])
def store(request):
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("in_redis")


def another(number=1):
    return contents(apis=[api(id=f"other{number}", context=f"/other{number}")], subscriptions=[]).apis[0]


def named(name):
    return contents(applications=[application(name=name)]).applications[0]


async def test_everything_that_is_stored_is_loaded(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        assert set(replica.indexes.apis) == {"petstore"}
        assert replica.indexes.subscription("app", "petstore") == SUBSCRIPTION
        assert set(replica.indexes.key_managers) == {("default", "km")}


async def test_changes_are_told_and_applied_without_loading_again(store):
    await store.write(*WHOLE)
    async with following(store, NEWS_ALONE) as replica:
        await replica.at(1)
        await store.write(another(), named("Renamed"))
        await store.write(remove=[SUBSCRIPTION])
        await replica.at(3)
        assert set(replica.indexes.apis) == {"petstore", "other1"}
        assert replica.indexes.applications["default", "app"].name == "Renamed"
        assert replica.indexes.subscription("app", "petstore") is None
        assert replica.replaced == 1


async def test_changes_that_are_too_many_to_be_told_are_loaded(store):
    await store.write(*WHOLE)
    async with following(store, NEWS_ALONE) as replica:
        await replica.at(1)
        await store.write(another(), named("Renamed"), told=False)
        await replica.at(2)
        assert "other1" in replica.indexes.apis


async def test_a_replica_that_was_cut_off_keeps_its_catalog_and_catches_up(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        await store.fail()
        await replica.frozen("redis")
        assert set(replica.indexes.apis) == {"petstore"}
        await store.recover()
        await store.write(another())
        await replica.at(2)


async def test_a_replica_that_was_cut_off_for_longer_than_the_stream_loads_again(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        await store.fail()
        await replica.frozen("redis")
        await store.write(another())
        await store.write(remove=[SUBSCRIPTION])
        await store.trim()
        await store.recover()
        await replica.at(3)
        assert (set(replica.indexes.apis), replica.replaced) == ({"petstore", "other1"}, 2)
        assert replica.indexes.subscription("app", "petstore") is None


async def test_a_flushed_store_freezes_the_catalog_until_a_new_one_is_written(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        await store.write(another())
        await replica.at(2)
        await store.flush()
        await replica.frozen(NO_CATALOG)
        assert set(replica.indexes.apis) == {"petstore", "other1"}
        await store.write(*WHOLE)
        await replica.at(1)
        assert set(replica.indexes.apis) == {"petstore"}


async def test_before_there_is_a_catalog_nothing_is_taken_over(store):
    async with following(store) as replica:
        await replica.frozen(NO_CATALOG)
        assert replica.loaded is None
        await store.write(*WHOLE)
        await replica.at(1)


async def test_an_empty_catalog_replaces_a_good_one_only_if_asked(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        await store.write(remove=[PETSTORE, SUBSCRIPTION])
        await replica.frozen(EMPTY)
        assert set(replica.indexes.apis) == {"petstore"}
        await store.write(named("Renamed"), empty=True)
        await replica.at(3)
        assert not replica.indexes.apis


async def test_an_entry_that_is_missing_keeps_a_replica_from_its_first_catalog(store):
    await store.write(*WHOLE, another())
    saved = await store.save()
    await store.lose(PETSTORE)
    async with following(store) as replica:
        await replica.frozen("missing in redis")
        assert replica.loaded is None
        await store.restore(saved)
        await replica.at(1)


@pytest.mark.parametrize("kind", [Kind.API, Kind.SUBSCRIPTION])
async def test_an_entry_that_was_not_written_with_the_secret_keeps_a_replica_from_its_first_catalog(store, kind):
    await store.write(*WHOLE)
    await store.forge(kind)
    async with following(store) as replica:
        await replica.frozen("was not written with the catalog's secret")
        assert replica.loaded is None
        await store.mend()
        await replica.at(1)


async def test_what_a_stranger_writes_into_the_stream_freezes_until_the_rest_proves_right(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        await store.forge(Kind.API)
        await store.shout()
        await replica.frozen("stranger")
        await replica.frozen("secret")
        assert set(replica.indexes.apis) == {"petstore"}
        await store.mend()
        await replica.until(lambda held: held.following)


async def test_an_older_state_that_is_put_back_is_refused(store):
    await store.write(*WHOLE)
    saved = await store.save()
    async with following(store) as replica:
        await store.write(remove=[SUBSCRIPTION])
        await replica.at(2)
        await store.restore(saved)
        await replica.frozen("revision 1 is older than 2")
        assert replica.indexes.subscription("app", "petstore") is None


async def test_an_earlier_catalog_that_is_put_back_is_refused(store):
    await store.write(*WHOLE)
    saved = await store.save()
    await store.flush()
    await store.write(*WHOLE, another())
    async with following(store) as replica:
        await replica.at(1)
        await store.restore(saved)
        await replica.frozen("begun before")
        assert "other1" in replica.indexes.apis


async def test_a_catalog_that_cannot_be_used_here_is_refused_and_tried_again(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        replica.refuses = UnreadyDocumentError("catalog", [Mistake(location=(), message="not now")])
        await store.write(another())
        await replica.frozen("not now")
        assert set(replica.indexes.apis) == {"petstore"}
        replica.refuses = None
        await replica.at(2)
        assert replica.replaced == 1


async def test_a_refused_change_is_passed_over_once_a_later_one_makes_it_good(store):
    await store.write(*WHOLE)
    async with following(store) as replica:
        await replica.at(1)
        replica.refuses = DocumentError("catalog", [Mistake(location=(), message="no such secret")])
        await store.write(another())
        await replica.frozen("no such secret")
        await store.write(remove=[another()])
        replica.refuses = None
        await replica.at(3)
        assert set(replica.indexes.apis) == {"petstore"}


async def test_a_reason_is_told_once(store):
    await store.write(*WHOLE)
    with capture_logs() as logs:
        async with following(store) as replica:
            await replica.at(1)
            await store.flush()
            for _ in range(3):
                await replica.frozen(NO_CATALOG)
                replica.detail = ""
    assert [(log["event"], log["log_level"], log["kept"]) for log in logs] == [("catalog_refused", "error", True)]
