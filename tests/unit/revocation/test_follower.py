"""A follower whose store fails in a way that nobody thought of."""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs
from support.clock import Clock
from support.revocations import Reports

from extauthz.revocation.channel import Page, Position
from extauthz.revocation.follower import Follower, Patience
from extauthz.revocation.revocation_list import RevocationList


class BrokenStore:
    """Keeps nothing; raises what it is told to, once each, where the news are read."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self.asked = 0

    async def eviction_policy(self):
        return None

    async def position(self):
        return Position(epoch=b"epoch:1", number=0, news=b"0-0")

    async def pages(self):
        self.asked += 1
        if self._errors:
            raise self._errors.pop()
        yield Page(entries=(), unproven=0)

    async def restore(self, entries):
        raise AssertionError(entries)

    async def initialise(self):
        raise AssertionError

    async def news(self, after, wait_seconds):
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def following(store, *, retry_seconds=0.0):
    reports, revoked = Reports(), RevocationList(Clock())
    patience = Patience(retry_seconds=retry_seconds)
    task = asyncio.create_task(Follower(store=store, revoked=revoked, report=reports, patience=patience).run())
    try:
        yield reports, task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize("error", [ValueError("T0KEN"), KeyError("T0KEN"), RecursionError("T0KEN"), MemoryError()])
async def test_whatever_is_raised_is_told_and_followed_by_another_attempt(error):
    store = BrokenStore(error)
    with capture_logs() as logs:
        async with following(store) as (reports, _):
            await reports.until(known=True, following=True)
    kind = type(error).__name__
    assert reports.told[0] == (False, False, f"revocations cannot be followed ({kind})")
    assert [each["error"] for each in logs if each["event"] == "revocations_failed"] == [kind]
    assert "T0KEN" not in repr((logs, reports.told))


async def test_a_follower_that_fails_waits_before_it_tries_again():
    store = BrokenStore(ValueError(), ValueError())
    async with following(store, retry_seconds=3600) as (reports, task):
        await reports.until(following=False)
        for _ in range(10):
            await asyncio.sleep(0)
        assert store.asked == 1
    assert task.cancelled()
