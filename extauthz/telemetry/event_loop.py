"""How late the event loop is: the time by which every Check that waits for it is delayed."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic as system_monotonic

LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper ends; a timer of the loop has steps of one millisecond."""
_PERIOD_SECONDS = 0.25


async def watch_event_loop(
    observe: Callable[[float], None],
    *,
    period_seconds: float = _PERIOD_SECONDS,
    monotonic: Callable[[], float] = system_monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Tells by how much each sleep was too long, until it is cancelled."""
    while True:
        due = monotonic() + period_seconds
        await sleep(period_seconds)
        observe(max(0.0, monotonic() - due))
