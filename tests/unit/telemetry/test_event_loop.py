"""How late the event loop is."""

import asyncio

import pytest

from extauthz.telemetry.event_loop import watch_event_loop


async def test_what_is_told_is_by_how_much_each_sleep_was_too_long():
    now = 100.0
    told: list[float] = []
    delays = iter([0.0, 0.5, -0.001, 0.25])

    async def sleep(seconds):
        nonlocal now
        try:
            now += seconds + next(delays)
        except StopIteration:
            raise asyncio.CancelledError from None

    with pytest.raises(asyncio.CancelledError):
        await watch_event_loop(told.append, period_seconds=1.0, monotonic=lambda: now, sleep=sleep)
    assert told == pytest.approx([0.0, 0.5, 0.0, 0.25])
