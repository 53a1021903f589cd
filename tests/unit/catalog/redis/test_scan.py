"""A large hash is told a little at a time, and the next part is on its way while one is read."""

import asyncio
from contextlib import aclosing

import pytest

from extauthz.catalog.redis.scan import scanned, slices
from extauthz.model.errors import Unavailable

PARTS = {b"0": (b"7", [b"a", b"1"]), b"7": (b"9", [b"b", b"2", b"c", b"3"]), b"9": (b"0", [])}


class Parts:
    """A server that has one hash; `scan.Server`."""

    def __init__(self, parts=PARTS):
        self._parts = parts
        self.asked = []
        self.waiting = 0
        self.answer = asyncio.Event()
        self.answer.set()

    async def execute(self, *command, timeout_seconds=None):
        _, _, cursor, *_ = command
        self.asked.append(cursor)
        self.waiting += 1
        try:
            await self.answer.wait()
        finally:
            self.waiting -= 1
        answer = self._parts[cursor]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    async def close(self):
        pass


async def test_every_part_is_told_in_order():
    found = [pairs async for pairs in scanned(Parts(), b"hash")]
    assert found == [[(b"a", b"1")], [(b"b", b"2"), (b"c", b"3")], []]


async def test_the_next_part_is_asked_for_before_one_is_read():
    server = Parts()
    async with aclosing(scanned(server, b"hash")) as found:
        assert await anext(found) == [(b"a", b"1")]
        await asyncio.sleep(0)
        assert server.asked == [b"0", b"7"]


async def test_whoever_stops_early_leaves_no_question_behind():
    server = Parts()
    async with aclosing(scanned(server, b"hash")) as found:
        await anext(found)
        server.answer.clear()
        await asyncio.sleep(0)
        assert server.waiting == 1
    assert server.waiting == 0


async def test_a_part_that_cannot_be_had_is_told_after_those_before_it():
    server = Parts({**PARTS, b"7": Unavailable("catalog", "gone")})
    async with aclosing(scanned(server, b"hash")) as found:
        assert await anext(found) == [(b"a", b"1")]
        await asyncio.sleep(0)  # the bad answer is here by now
        with pytest.raises(Unavailable, match="gone"):
            await anext(found)


async def test_a_part_that_nobody_waits_for_any_more_may_fail(recwarn):
    server = Parts({**PARTS, b"7": Unavailable("catalog", "gone")})
    async with aclosing(scanned(server, b"hash")) as found:
        await anext(found)
        await asyncio.sleep(0)
    assert not recwarn.list


@pytest.mark.parametrize("answer", [(b"0",), (7, []), (b"0", b"a"), None])
async def test_an_odd_answer_is_no_part(answer):
    class Odd(Parts):
        async def execute(self, *command, timeout_seconds=None):
            return answer

    with pytest.raises(Unavailable, match="odd"):
        [pairs async for pairs in scanned(Odd(), b"hash")]


def test_parts_have_a_bound_in_entries_and_in_bytes():
    pairs = [(b"k", b"v" * size) for size in (1, 1, 1, 50, 1)]
    parts = list(slices(pairs, entries=2, octets=20))
    assert [len(part) for part in parts] == [2, 1, 1, 1]
    assert [pair for part in parts for pair in part] == pairs
