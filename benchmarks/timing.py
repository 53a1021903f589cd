"""Microseconds that something takes, one time after another on one core."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, thread_time
from typing import TypeVar

T = TypeVar("T")


def each(call: Callable[[T], object], arguments: Sequence[T]) -> float:
    """Processor time of one call: others on the machine do not count."""
    start = thread_time()
    for argument in arguments:
        call(argument)
    return (thread_time() - start) / len(arguments) * 1e6


async def each_awaited(call: Callable[[T], Awaitable[object]], arguments: Sequence[T], *, waits: bool = False) -> float:
    """Of one call, and of what all have left to the event loop; with `waits`, the time that passes, turn by turn.

    Processor time is this thread's: it does all of a Check, and none of what other threads of the process are for.
    """
    clock = perf_counter if waits else thread_time
    start = clock()
    for argument in arguments:
        await call(argument)
        if waits:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return (clock() - start) / len(arguments) * 1e6
