"""A whole catalog, read while it goes on changing."""

import asyncio
import gc
import weakref
from time import perf_counter

import pytest
from support.catalog_stores import MemoryStore
from support.catalogs import api, application, contents

from extauthz.catalog.building import built, take_apart
from extauthz.catalog.changes import Kind, identity_of
from extauthz.catalog.garbage import without_full_collections
from extauthz.catalog.loading import loaded
from extauthz.catalog.slices import Slices
from extauthz.catalog.store import Position, Total, Transaction, Untrusted
from extauthz.catalog.tally import Tally
from extauthz.catalog.totals import weight

WHOLE = tuple(contents().entities())
SUBSCRIPTION = contents().subscriptions[0]


@pytest.fixture
def store():
    return MemoryStore()


def app(name, *clients):
    keys = [{"key_manager": "km", "client_id": client} for client in clients]
    return contents(applications=[application(id=name, keys=keys)], subscriptions=[]).applications[0]


def once(kind, *writes):
    """What is written while the first page of a kind is on its way."""
    left = list(writes)

    async def write(read):
        while read is kind and left:
            await left.pop(0)()

    return write


async def test_what_changes_while_it_is_read_is_part_of_it(store):
    await store.write(*WHOLE)
    renamed = app("app", "client", "second")
    store.before_page = once(
        Kind.API_KEY, lambda: store.write(renamed, app("new")), lambda: store.write(remove=[SUBSCRIPTION])
    )
    found = await loaded(store, None)
    assert found.position.head.revision == 3
    assert found.indexes.applications.keys() == {("default", "app"), ("default", "new")}
    assert found.indexes.client("default", "km", "second") is not None
    assert found.indexes.subscription("app", "petstore") is None


@pytest.mark.parametrize("first", ["app", "other"])
async def test_a_client_that_was_passed_to_and_fro_is_found_whoever_was_read_first(store, first):
    await store.write(*[entity for entity in WHOLE if getattr(entity, "id", "") != "app"][:3])
    second = "other" if first == "app" else "app"
    await store.write(app(first, *(["client"] if first == "app" else [])))
    await store.write(app("between"), app("last"))
    await store.write(app(second, *(["client"] if second == "app" else [])))
    pages = 0

    async def between_pages(kind):
        nonlocal pages
        pages += kind is Kind.APPLICATION
        if pages == 2:
            pages += 1
            await store.write(app("app"), app("other", "client"))
            await store.write(app("other"), app("app", "client"))

    store.before_page = between_pages
    found = await loaded(store, None)
    holder = found.indexes.client("default", "km", "client")
    assert holder is not None
    assert holder[0].id == "app"


def parts_of(organization):
    found = contents(
        key_managers=[],
        apis=[api(id="moving", organization=organization)],
        applications=[application(id="app", organization=organization, keys=[])],
        subscriptions=[{"application": "app", "api": "moving", "organization": organization}],
    )
    return [*found.apis, *found.applications, *found.subscriptions]


async def test_what_moves_to_another_organization_while_it_is_read_is_there(store):
    """It is told as something that goes and something that comes, and what comes may have been read before."""
    await store.write(*WHOLE, *parts_of("one"))
    store.before_page = once(Kind.SUBSCRIPTION, lambda: store.write(*parts_of("other"), remove=parts_of("one")))
    found = await loaded(store, None)
    assert found.indexes.apis["moving"].api.organization == "other"
    subscription = found.indexes.subscription("app", "moving")
    assert subscription is not None
    assert subscription.organization == "other"


class Mixing(MemoryStore):
    """Somebody shows an entry as it was, proven once, and then as it is."""

    def __init__(self):
        super().__init__()
        self.old = None

    async def pages(self, kind):
        pages = [page async for page in super().pages(kind)]
        for page in reversed(pages) if kind is Kind.API else pages:
            for stored in reversed(page):
                if self.old is not None and stored.identity == self.old.identity:
                    yield [self.old]
                yield [stored]

    def stored(self, entity):
        return self._state.stored[identity_of(entity)]


def at(name, context):
    return contents(apis=[api(id=name, context=context)], subscriptions=[]).apis[0]


async def test_an_older_entry_that_is_shown_before_the_newer_cannot_take_the_place_of_another():
    store = Mixing()
    await store.write(*WHOLE, at("moved", "/pets/admin"), at("pets", "/pets"))
    old = store.stored(at("moved", "/pets/admin"))
    await store.write(at("moved", "/elsewhere"), at("admin", "/pets/admin"))
    found = (await loaded(store, None)).indexes.by_path.find("host", ("pets", "admin"))
    assert found is not None
    assert found.indexed.api.id == "admin"
    store.old = old
    with pytest.raises(Untrusted):
        await loaded(store, None)


async def test_old_news_that_are_told_for_ever_end_a_load(store):
    await store.write(*WHOLE)

    class Repeating:
        """The same store, whose stream never comes to what is new."""

        position, pages = store.position, store.pages

        async def news(self, after, wait_seconds):
            await asyncio.sleep(0)
            return [Transaction(position=Position(head=after.head, news=after.news), changes=())]

    async def write(kind):
        if kind is Kind.API_KEY:
            await store.write(app("new"))

    store.before_page = write
    async with asyncio.timeout(30):
        with pytest.raises(Untrusted):
            await loaded(Repeating(), None)
    assert store.loads == 2


async def test_what_was_misread_is_read_once_more(store):
    await store.write(*WHOLE)
    saved = await store.save()
    await store.lose(SUBSCRIPTION)

    async def mended(kind):
        if store.loads == 2:
            await store.restore(saved)

    store.before_page = mended
    assert (await loaded(store, None)).indexes.subscription("app", "petstore") is not None
    assert store.loads == 2


async def test_what_stays_wrong_is_refused_after_the_second_time(store):
    await store.write(*WHOLE)
    await store.lose(SUBSCRIPTION)
    with pytest.raises(Untrusted, match="missing"):
        await loaded(store, None)
    assert store.loads == 2


def test_an_entity_that_is_told_twice_counts_once():
    tally = Tally()
    assert tally.put("default/one", 5, b"five")
    assert not tally.put("default/one", 5, b"five")
    assert not tally.put("default/one", 4, b"four")
    assert tally.total == Total(count=1, tags=weight(b"five"))
    assert tally.put("default/one", 300, b"new")
    assert not tally.put("default/one", 6, b"six")
    assert tally.total == Total(count=1, tags=weight(b"new"))
    assert tally.put("default/one", 301, b"")
    assert not tally.put("default/one", 300, b"new")
    assert tally.total == Total()


def test_an_entity_that_was_gone_before_it_is_told_of_stays_gone():
    tally = Tally()
    assert tally.put("default/one", 6, b"")
    assert not tally.put("default/one", 5, b"five")
    assert tally.total == Total()
    assert tally.put("default/one", 7, b"seven")
    assert tally.total == Total(count=1, tags=weight(b"seven"))


async def test_large_tables_are_made_and_taken_apart_in_slices():
    """Another task has its turn in between, whatever the machine's speed: a slice of no length is over at once."""
    entities = list(contents(apis=[api(id=f"a{n}", context=f"/{n}") for n in range(20)], subscriptions=[]).entities())
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    indexes = await built(entities, Slices(0.0))
    assert turns >= len(entities)
    turns = 0
    await take_apart(indexes, Slices(0.0))
    assert turns >= 20
    assert not any(indexes.tables())
    counting.cancel()


async def test_whoever_is_at_work_is_not_kept_waiting_for_a_slice_at_each_turn():
    """A Check takes several turns of the loop."""
    left = 5

    async def check():
        nonlocal left
        while left:
            end = perf_counter() + 0.001  # longer than a turn that is nobody's
            while perf_counter() < end:
                pass
            left -= 1
            await asyncio.sleep(0)

    checking = asyncio.create_task(check())
    await Slices().rest()
    assert left == 0
    await checking


async def test_work_goes_on_where_checks_never_end():
    async def checks():
        while True:
            end = perf_counter() + 0.001
            while perf_counter() < end:
                pass
            await asyncio.sleep(0)

    checking = asyncio.create_task(checks())
    async with asyncio.timeout(30):
        await Slices().rest()
    checking.cancel()


async def test_replaced_tables_are_freed_without_the_collector():
    with without_full_collections():
        indexes = await built(WHOLE)
    gone = weakref.ref(indexes.by_path)
    gc.disable()
    try:
        await take_apart(indexes)
        del indexes
        assert gone() is None
    finally:
        gc.enable()
