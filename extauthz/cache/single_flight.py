"""One call at a time for each key, whoever asks and however many."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from extauthz.model.errors import Unavailable

T = TypeVar("T")


class _Flight(Generic[T]):
    """A call under way, and those who wait for it."""

    __slots__ = ("call", "waiting")

    call: asyncio.Task[T]

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    def tell(self) -> None:
        """The call has ended, or never began."""
        for waiting in self.waiting:
            if not waiting.done():  # one that was cancelled has left
                waiting.set_result(None)


class SingleFlight(Generic[T]):
    """The calls under way, for one event loop. They belong to this object: a caller who leaves stops nothing.

    Outcomes are not kept: who comes after the landing starts anew.
    """

    def __init__(self, component: str) -> None:
        self._component = component
        self._flights: dict[bytes, _Flight[T]] = {}
        self._airborne: set[_Flight[T]] = set()
        self._closed = False

    async def join(self, key: bytes, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of the call under way for this key, or of a new one.

        Raises:
            Unavailable: closed, before or meanwhile.
            Exception: whatever the call raised, to every caller.
        """
        if self._closed:
            raise Unavailable(self._component, "closed")
        flight = self._flights.get(key) or self._launch(key, start)
        # Not `await flight.call`: that would pass the cancellation of one caller on to all.
        landing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        flight.waiting.append(landing)
        await landing
        if flight.call.cancelled():
            raise Unavailable(self._component, "closed")
        return flight.call.result()

    def is_under_way(self, key: bytes) -> bool:
        """Whether who asks now joins others."""
        return key in self._flights

    def is_current(self, key: bytes) -> bool:
        """For the call itself: whether its outcome is still wanted, or `forget` came in between."""
        flight = self._flights.get(key)
        return flight is not None and flight.call is asyncio.current_task()

    def forget(self, key: bytes) -> None:
        """The next caller starts anew; those who wait still get what they waited for."""
        self._flights.pop(key, None)

    async def close(self) -> None:
        """Cancel every call and wait until they have ended."""
        self._closed = True
        airborne = tuple(self._airborne)
        for flight in airborne:
            flight.call.cancel()
        await asyncio.gather(*(flight.call for flight in airborne), return_exceptions=True)
        for flight in airborne:
            flight.tell()  # of one that was cancelled before its first step, nothing ran that could

    def _launch(self, key: bytes, start: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight: _Flight[T] = _Flight()
        flight.call = asyncio.create_task(self._fly(key, flight, start))
        flight.call.add_done_callback(_look)
        self._flights[key] = flight
        self._airborne.add(flight)
        return flight

    async def _fly(self, key: bytes, flight: _Flight[T], start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await start()
        finally:
            # From here and not in a callback of the task, which would cost those who wait a turn of the event loop;
            # when theirs comes, the task has ended.
            self._airborne.discard(flight)
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.tell()


def _look(call: asyncio.Task[Any]) -> None:
    if not call.cancelled():
        call.exception()  # every caller may have left: nobody else would look at it
