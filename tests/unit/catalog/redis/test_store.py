"""The catalog in a real server: what its writers wrote is read, and nothing else."""

import asyncio
from dataclasses import replace

import pytest
from support.catalogs import api, application
from support.revocations import until
from support.shared_catalog import BEGUN_AT, CATALOG_SECRET, key, small_catalog

from extauthz.catalog.changes import Change, Kind, identity_of
from extauthz.catalog.redis.messages import READER, written
from extauthz.catalog.redis.proof import CatalogKeys
from extauthz.catalog.store import Missed, Total, Untrusted
from extauthz.catalog.totals import totals
from extauthz.model.subscription import Subscription
from extauthz.v1 import catalog_pb2 as pb

pytestmark = pytest.mark.external_service

OTHER_SECRET = b"another secret, which is 32 bytes long"
CHANGED = Subscription(id="app:petstore", application="app", api="petstore", policy="Bronze")


async def read(store):
    return [stored async for page in everything(store) for stored in page]


async def everything(store):
    for kind in Kind:
        async for page in store.pages(kind):
            yield page


def field(entity):
    identity = identity_of(entity)
    return f"{identity.organization}/{identity.id}"


async def test_an_empty_server_holds_no_catalog(holder):
    catalog = await holder()
    assert await catalog.store.position() is None
    assert await read(catalog.store) == []


async def test_what_was_written_is_read(holder):
    one, other = await holder(), await holder()
    head = await one.write(*small_catalog())
    position = await other.store.position()
    assert position is not None
    assert position.head == head
    assert (head.revision, head.begun_at, head.empty) == (1, BEGUN_AT, False)
    stored = await read(other.store)
    assert [each.entity for each in stored] == small_catalog()
    assert {each.revision for each in stored} == {1}
    assert totals(stored) == head.totals
    assert head.totals[Kind.API_KEY] == Total(count=0, tags=0)


async def test_each_catalog_that_is_begun_has_an_epoch_of_its_own(holder, stranger):
    catalog = await holder()
    first = await catalog.write(*small_catalog())
    await stranger.flushall()
    assert (await catalog.write(*small_catalog())).epoch != first.epoch


async def test_news_tell_what_changed_and_the_state_after_it(holder):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    head = await catalog.write(CHANGED, removed=[small_catalog()[2]])
    (transaction,) = await catalog.store.news(before, 5)
    assert transaction.position == await catalog.store.position()
    assert transaction.position.head == head
    tombstone, change = transaction.changes
    assert tombstone.change == Change(identity=identity_of(small_catalog()[2]), entity=None)
    assert (tombstone.tag, tombstone.former_tag != b"") == (b"", True)
    assert change.change.entity == CHANGED
    stored = {each.identity: each for each in await read(catalog.store)}
    assert change.tag == stored[identity_of(CHANGED)].tag
    assert stored[identity_of(CHANGED)].revision == 2
    assert await catalog.store.news(transaction.position, 0.001) == ()


async def test_news_are_not_waited_for_at_intervals(holder, stranger):
    catalog, other = await holder(), await holder()
    await catalog.write(*small_catalog())
    waiting = asyncio.create_task(other.store.news(await other.store.position(), 3600))

    async def somebody_waits():
        return (await stranger.info("clients"))["blocked_clients"] == 1

    await until(somebody_waits)
    await catalog.write(CHANGED)
    (transaction,) = await waiting
    assert transaction.position.head.revision == 2


async def test_several_transactions_are_told_in_order(holder):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    policies = ["one", "two", "three"]
    for policy in policies:
        await catalog.write(replace(CHANGED, policy=policy))
    told = await catalog.store.news(before, 5)
    assert [transaction.changes[0].change.entity.policy for transaction in told] == policies
    assert [transaction.position.head.revision for transaction in told] == [2, 3, 4]


async def test_whoever_comes_too_late_for_the_stream_is_told_so(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await catalog.write(CHANGED)
    await catalog.write(replace(CHANGED, policy="two"))
    await stranger.xtrim(key("news"), maxlen=1, approximate=False)
    with pytest.raises(Missed):
        await catalog.store.news(before, 5)


async def test_whoever_follows_a_stream_that_is_gone_is_told_so(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await catalog.write(CHANGED)
    await stranger.delete(key("news"))
    await catalog.write(replace(CHANGED, policy="two"))
    with pytest.raises(Missed):
        await catalog.store.news(before, 5)


async def test_news_of_another_epoch_are_no_news(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await stranger.flushall()
    await catalog.write(*small_catalog())
    with pytest.raises(Missed):
        await catalog.store.news(before, 5)


async def test_a_transaction_that_is_told_again_changes_nothing(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    await catalog.write(CHANGED)
    ((_, old),) = (await stranger.xrange(key("news")))[:1]
    before = await catalog.store.position()
    await stranger.xadd(key("news"), old)
    (transaction,) = await catalog.store.news(before, 5)
    assert transaction.changes == ()
    assert transaction.position.head == before.head
    assert await catalog.store.news(transaction.position, 0.001) == ()


async def test_good_news_before_bad_ones_are_told_first(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await catalog.write(CHANGED)
    await stranger.xadd(key("news"), {"transaction": b"nonsense"})
    (good,) = await catalog.store.news(before, 5)
    assert good.position.head.revision == 2
    with pytest.raises(Untrusted):
        await catalog.store.news(good.position, 5)


@pytest.mark.parametrize("entry", [{"transaction": b"nonsense"}, {"hello": "world"}, {"transaction": b""}])
async def test_a_strangers_news_are_not_believed(holder, stranger, entry):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await stranger.xadd(key("news"), entry)
    with pytest.raises(Untrusted):
        await catalog.store.news(before, 5)


async def test_a_strangers_entry_is_not_believed(holder, stranger):
    catalog, forger = await holder(), CatalogKeys([OTHER_SECRET], prefix="extauthz:")
    await catalog.write(*small_catalog())
    body = written(Kind.SUBSCRIPTION, CHANGED)
    tag = forger.entry_tag(b"subscription", field(CHANGED).encode(), (2, READER), body)
    entry = pb.CatalogEntry(entity=body, revision=2, minimum_reader=READER, tag=tag)
    await stranger.hset(key("subscription"), field(CHANGED), entry.SerializeToString())
    with pytest.raises(Untrusted, match="secret"):
        await read(catalog.store)


@pytest.mark.parametrize("value", [b"", b"\xff\xff nonsense", b"\x0a\x02hi"])
async def test_an_entry_that_does_not_parse_is_not_passed_over(holder, stranger, value):
    catalog = await holder()
    await catalog.write(*small_catalog())
    await stranger.hset(key("api"), "default/other", value)
    with pytest.raises(Untrusted):
        await read(catalog.store)


async def test_an_entry_is_good_only_in_its_place(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    value = await stranger.hget(key("subscription"), field(CHANGED))
    await stranger.hset(key("subscription"), "other/app petstore", value)
    with pytest.raises(Untrusted, match="secret"):
        await read(catalog.store)


@pytest.mark.parametrize("changed", [{"revision": 9}, {"minimum_reader": 0}, {"entity": b""}])
async def test_everything_in_an_entry_is_proven(holder, stranger, changed):
    catalog = await holder()
    await catalog.write(*small_catalog())
    entry = pb.CatalogEntry.FromString(await stranger.hget(key("subscription"), field(CHANGED)))
    for name, value in changed.items():
        setattr(entry, name, value)
    await stranger.hset(key("subscription"), field(CHANGED), entry.SerializeToString())
    with pytest.raises(Untrusted, match="secret"):
        await read(catalog.store)


async def test_an_older_entry_that_is_put_back_is_good_by_itself_and_shows_in_the_sum(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    older = await stranger.hget(key("subscription"), field(CHANGED))
    head = await catalog.write(CHANGED)
    await stranger.hset(key("subscription"), field(CHANGED), older)
    assert totals(await read(catalog.store)) != head.totals
    with pytest.raises(Untrusted, match="older"):
        await catalog.snapshot()


async def test_an_entry_that_is_taken_away_shows_in_the_sum(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    await stranger.hdel(key("subscription"), field(CHANGED))
    with pytest.raises(Untrusted, match="missing"):
        await catalog.snapshot()


async def test_a_strangers_head_is_not_believed(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    record = pb.CatalogRecord.FromString(await stranger.get(key("head")))
    head = pb.CatalogHead.FromString(record.body)
    head.revision = 7
    record.body = head.SerializeToString()
    for forged in (record.SerializeToString(), b"nonsense", b""):
        await stranger.set(key("head"), forged)
        with pytest.raises(Untrusted):
            await catalog.store.position()


async def test_a_transaction_is_no_head(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    ((_, entry),) = await stranger.xrange(key("news"))
    await stranger.set(key("head"), entry[b"transaction"])
    with pytest.raises(Untrusted, match="secret"):
        await catalog.store.position()


async def test_what_is_for_newer_readers_is_not_read_in_part(holder, stranger):
    catalog, keys = await holder(), CatalogKeys([CATALOG_SECRET], prefix="extauthz:")
    await catalog.write(*small_catalog())
    body = written(Kind.SUBSCRIPTION, CHANGED)
    numbers = (2, READER + 1)
    tag = keys.entry_tag(b"subscription", field(CHANGED).encode(), numbers, body)
    entry = pb.CatalogEntry(entity=body, revision=numbers[0], minimum_reader=numbers[1], tag=tag)
    await stranger.hset(key("subscription"), field(CHANGED), entry.SerializeToString())
    with pytest.raises(Untrusted, match="newer"):
        await read(catalog.store)


async def test_secrets_can_be_changed_one_after_the_other(holder):
    old, both = await holder(secrets=[OTHER_SECRET]), await holder(secrets=[CATALOG_SECRET, OTHER_SECRET])
    new = await holder(secrets=[CATALOG_SECRET])
    await old.write(*small_catalog())
    head = await both.write(CHANGED)
    stored = await read(both.store)
    assert totals(stored) == head.totals
    with pytest.raises(Untrusted):
        await read(new.store)


async def test_strings_of_all_sizes_are_read(holder):
    """Small hashes, long values and many fields are kept in different ways there."""
    catalog = await holder()
    applications = [application(id=f"app{number}", keys=[], name="n" * (number % 90 + 1)) for number in range(1500)]
    entities = small_catalog(applications=applications, subscriptions=[], apis=[api(publisher="p" * 70_000)])
    await catalog.write(*entities)
    stored = await read(catalog.store)
    assert {identity_of(each.entity) for each in stored} == {identity_of(entity) for entity in entities}
    assert {each.entity.publisher for each in stored if each.kind is Kind.API} == {"p" * 70_000}
