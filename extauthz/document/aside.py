"""Reading that holds up nobody."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

ReadT = TypeVar("ReadT")


async def aside(read: Callable[[], ReadT]) -> ReadT:
    """What `read` returns or raises.

    In a thread of its own: a long file holds up no Check, and one that never ends does not hold up the end.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[ReadT] = loop.create_future()

    def settle(found: list[ReadT], problem: BaseException | None) -> None:
        if outcome.done():
            return
        if problem is not None:
            outcome.set_exception(problem)
        else:
            outcome.set_result(found[0])

    def work() -> None:
        found: list[ReadT] = []
        problem: BaseException | None = None
        try:
            found.append(read())
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the outcome is awaited
            problem = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, found, problem)

    # A daemon: the interpreter waits for every other thread, even for one that reads a hung network mount.
    threading.Thread(target=work, name="reading", daemon=True).start()
    return await outcome
