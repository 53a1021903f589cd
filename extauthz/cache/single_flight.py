"""One call at a time for each key, whoever asks and however many."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from extauthz.model.errors import Unavailable

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """The calls under way, for one event loop. They belong to this object: a caller who leaves stops nothing.

    Outcomes are not kept: who comes after the landing starts anew.
    """

    def __init__(self, component: str) -> None:
        self._component = component
        self._flights: dict[bytes, asyncio.Task[T]] = {}
        self._airborne: set[asyncio.Task[T]] = set()
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
        # Not `await flight`: that would pass the cancellation of one caller on to all.
        await asyncio.wait({flight})
        if flight.cancelled():
            raise Unavailable(self._component, "closed")
        return flight.result()

    def is_current(self, key: bytes) -> bool:
        """For the call itself: whether its outcome is still wanted, or `forget` came in between."""
        return self._flights.get(key) is asyncio.current_task()

    def forget(self, key: bytes) -> None:
        """The next caller starts anew; those who wait still get what they waited for."""
        self._flights.pop(key, None)

    async def close(self) -> None:
        """Cancel every call and wait until they have ended."""
        self._closed = True
        airborne = tuple(self._airborne)
        for flight in airborne:
            flight.cancel()
        await asyncio.gather(*airborne, return_exceptions=True)

    def _launch(self, key: bytes, start: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        flight = asyncio.create_task(start())
        self._flights[key] = flight
        self._airborne.add(flight)
        flight.add_done_callback(lambda landed: self._land(key, landed))
        return flight

    def _land(self, key: bytes, flight: asyncio.Task[T]) -> None:
        self._airborne.discard(flight)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # every caller may have left: nobody else would look at it
