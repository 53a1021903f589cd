"""Transactions: whole or not at all, whoever else writes, and however large they are."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.shared_catalog import key, shared_catalog, small_catalog

from extauthz.catalog.changes import Change, identity_of
from extauthz.catalog.redis.scripts import REPLACE
from extauthz.catalog.store import Untrusted
from extauthz.catalog.totals import totals
from extauthz.model.application import Application
from extauthz.model.errors import Unavailable

pytestmark = pytest.mark.external_service

ROOT = Path(__file__).parents[4]
FEW = 2
"""Changes that are told one by one; more are staged."""
APPLICATIONS = [Application(id=f"app{number}", name="App") for number in range(1200)]


class Interrupted:
    """Between a writer and the server: the writer never comes to the end of a large transaction."""

    def __init__(self, server):
        self.server = server

    async def execute(self, *command, timeout_seconds=None):
        if REPLACE.encode() in command:
            raise Unavailable("catalog", "the writer died")
        return await self.server.execute(*command, timeout_seconds=timeout_seconds)

    async def close(self):
        await self.server.close()


class Hurried(Interrupted):
    """What was staged is gone when it is to be used, as after a very long time."""

    async def execute(self, *command, timeout_seconds=None):
        if REPLACE.encode() in command:
            await self.server.execute(b"UNLINK", *(word for word in command if b":staged:" in bytes(word)))
        return await self.server.execute(*command, timeout_seconds=timeout_seconds)


async def keys(stranger):
    return sorted(name.decode() for name in await stranger.keys())


async def test_of_two_writers_at_once_one_reads_again(holder):
    one, other = await holder(), await holder()
    await one.write(*small_catalog())
    before = await one.snapshot()
    first, second = APPLICATIONS[:2]
    changes = [[Change(identity=identity_of(each), entity=each)] for each in (first, second)]
    heads = await asyncio.gather(
        one.writer.write(before, changes[0], empty=False), other.writer.write(before, changes[1], empty=False)
    )
    assert sorted(head is None for head in heads) == [False, True]
    late = second if heads[1] is None else first
    await other.write(late)
    assert [each for each in await one.entities() if each in (first, second)] == [first, second]
    assert (await one.snapshot()).head.revision == 3


async def test_a_writer_that_comes_too_late_changes_nothing(holder):
    one, other = await holder(kept_changes=FEW), await holder()
    await one.write(*small_catalog()[:2])
    before = await one.snapshot()
    await other.write(small_catalog()[2])
    after = await other.snapshot()
    for number in (1, 100):  # told, and staged
        changes = [Change(identity=identity_of(each), entity=each) for each in APPLICATIONS[:number]]
        assert await one.writer.write(before, changes, empty=False) is None
    assert await other.snapshot() == after


async def test_of_two_writers_that_begin_a_catalog_one_does(holder):
    one, other = await holder(), await holder(kept_changes=FEW)
    nothing = await one.snapshot()
    changes = [Change(identity=identity_of(entity), entity=entity) for entity in small_catalog()]
    head = await one.writer.write(nothing, changes, empty=False)
    assert await other.writer.write(nothing, changes, empty=False) is None
    assert (await one.snapshot()).head == head


async def test_whoever_begins_a_catalog_clears_the_rest_of_a_lost_one(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog(), *APPLICATIONS[:3])
    await stranger.delete(key("head"))
    await catalog.write(*small_catalog())
    assert await catalog.entities() == small_catalog()
    assert await stranger.xlen(key("news")) == 1


async def test_a_large_transaction_comes_as_one(holder, stranger):
    catalog = await holder(kept_changes=FEW)
    await catalog.write(*small_catalog()[:2])
    before = await catalog.store.position()
    head = await catalog.write(*small_catalog()[2:], *APPLICATIONS)
    (transaction,) = await catalog.store.news(before, 5)
    assert transaction.changes is None
    assert transaction.position == await catalog.store.position()
    assert transaction.position.head == head
    assert len(await catalog.entities()) == len(small_catalog()) + len(APPLICATIONS)
    assert await keys(stranger) == sorted(
        key(name) for name in ("api", "application", "head", "key_manager", "news", "subscription")
    )
    assert {await stranger.ttl(key(name)) for name in ("application", "subscription", "head")} == {-1}


async def test_a_large_transaction_keeps_what_it_does_not_change_byte_for_byte(holder, stranger):
    catalog = await holder(kept_changes=FEW)
    await catalog.write(*small_catalog(), *APPLICATIONS)
    before = await stranger.hgetall(key("application"))
    others = await stranger.hgetall(key("api"))
    changed = [replace(each, name="Other") for each in APPLICATIONS[:5]]
    head = await catalog.write(*changed, removed=APPLICATIONS[5:8])
    after = await stranger.hgetall(key("application"))
    touched = {f"default/{each.id}".encode() for each in APPLICATIONS[:8]}
    assert {name: value for name, value in after.items() if name not in touched} == {
        name: value for name, value in before.items() if name not in touched
    }
    assert len(after) == len(before) - 3
    assert await stranger.hgetall(key("api")) == others
    assert totals((await catalog.snapshot()).stored.values()) == head.totals


async def test_a_large_transaction_can_take_all_of_a_kind_away(holder, stranger):
    catalog = await holder(kept_changes=FEW)
    await catalog.write(*small_catalog()[:2], *APPLICATIONS)
    await catalog.write(removed=APPLICATIONS)
    assert await catalog.entities() == small_catalog()[:2]
    assert not await stranger.exists(key("application"))


async def test_a_few_changes_that_are_long_are_staged_as_well(holder):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.store.position()
    await catalog.write(*(replace(each, owner="x" * 400_000) for each in APPLICATIONS[:3]))
    (transaction,) = await catalog.store.news(before, 5)
    assert transaction.changes is None


async def test_what_a_dead_writer_has_staged_is_seen_by_nobody_and_goes_by_itself(holder, valkey, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.snapshot()
    async with shared_catalog(valkey.url, kept_changes=FEW, through=Interrupted) as dying:
        with pytest.raises(Unavailable, match="died"):
            await dying.write(*APPLICATIONS)
    assert await catalog.snapshot() == before
    left = [name for name in await keys(stranger) if ":staged:" in name]
    assert len(left) == 1
    assert all([0 < await stranger.ttl(name) <= 600 for name in left])


async def test_a_writer_whose_staged_work_is_gone_says_so_and_changes_nothing(holder, valkey):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.snapshot()
    async with shared_catalog(valkey.url, kept_changes=FEW, through=Hurried) as slow:
        with pytest.raises(Unavailable, match="try again"):
            await slow.write(*APPLICATIONS)
    assert await catalog.snapshot() == before


async def test_a_writer_that_came_too_late_leaves_nothing_staged(holder, stranger):
    one, other = await holder(kept_changes=FEW), await holder()
    await one.write(*small_catalog())
    before = await one.snapshot()
    await other.write(APPLICATIONS[0])
    changes = [Change(identity=identity_of(each), entity=each) for each in APPLICATIONS]
    assert await one.writer.write(before, changes, empty=False) is None
    assert [name for name in await keys(stranger) if ":staged:" in name] == []


async def test_the_stream_stays_bounded_however_many_changes_a_transaction_has(holder, stranger):
    catalog = await holder(kept_changes=100)
    await catalog.write(*small_catalog())
    for number in range(150):
        await catalog.write(*(replace(each, name=f"Name {number}") for each in APPLICATIONS[:50]))
    transactions = await stranger.xrange(key("news"))
    assert len(transactions) < 100  # the server trims whole nodes


async def test_a_snapshot_of_what_strangers_changed_is_refused(holder, stranger):
    catalog = await holder()
    await catalog.write(*small_catalog())
    await stranger.hset(key("application"), "default/app", b"nonsense")
    with pytest.raises(Untrusted):
        await catalog.snapshot()


async def test_a_stream_that_takes_no_more_leaves_everything_as_it_was(holder, stranger):
    """A script that fails half-way keeps what it has written: what can fail comes first."""
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.snapshot()
    last = 2**64 - 1
    await stranger.xadd(key("news"), {"stranger": "here"}, id=f"{last}-{last}")
    with pytest.raises(Unavailable):
        await catalog.write(APPLICATIONS[0])
    assert await catalog.snapshot() == before


@pytest.mark.parametrize("kept_changes", [1000, FEW])
@pytest.mark.parametrize("command", ["xadd", "set", "hset", "hdel", "unlink", "persist", "rename"])
async def test_a_user_who_may_not_do_all_of_it_does_nothing(holder, stranger, command, kept_changes):
    catalog = await holder()
    await catalog.write(*small_catalog(), *APPLICATIONS[:5])
    before, told = await catalog.snapshot(), await stranger.xlen(key("news"))
    words = f"writer on >word resetkeys ~{{extauthz:catalog}}:* resetchannels +@all -{command}"
    await stranger.execute_command("ACL", "SETUSER", *words.split())
    writer = await holder(username="writer", password="word", kept_changes=kept_changes)
    try:
        await writer.write(APPLICATIONS[6], removed=APPLICATIONS[:4])
    except Unavailable:
        assert await catalog.snapshot() == before
        assert await stranger.xlen(key("news")) == told
    else:
        assert command in ({"unlink", "persist", "rename"} if kept_changes > FEW else {"hdel"})


async def test_an_entity_that_cannot_be_written_changes_nothing(holder):
    catalog = await holder()
    await catalog.write(*small_catalog())
    before = await catalog.snapshot()
    with pytest.raises(ValueError, match="surrogate"):
        await catalog.write(Application(id="a", name="\ud800"))
    assert await catalog.snapshot() == before


def documented(who):
    """The commands that the page gives to a user, one row of its table for each."""
    page = (ROOT / "docs" / "catalog-store.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {who} \| (.*) \|$", page, re.MULTILINE)
    return " ".join(re.findall(r"\+[a-z|]+", row.replace("\\|", "|")))


async def test_users_need_no_more_than_is_documented(holder, valkey, stranger):
    reading = documented("a replica, `diff`, `export`")
    assert "+hscan" in reading
    for name, commands in (("reader", reading), ("writer", f"{reading} {documented('`apply`')}")):
        words = f"{name} on >word resetkeys ~{{extauthz:catalog}}:* resetchannels -@all {commands}"
        await stranger.execute_command("ACL", "SETUSER", *words.split())
    writer = await holder(username="writer", password="word", kept_changes=FEW)
    reader = await holder(username="reader", password="word")
    await writer.write(*small_catalog())
    before = await reader.store.position()
    await writer.write(APPLICATIONS[0])
    await writer.write(removed=[APPLICATIONS[0]])
    assert len(await reader.store.news(before, 5)) == 2
    assert await reader.entities() == await writer.entities() == small_catalog()
    with pytest.raises(Unavailable, match="redis refuses EVAL"):
        await reader.write(APPLICATIONS[0])
