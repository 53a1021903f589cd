"""Calls into code that is not ours: it has a time budget, and whatever goes wrong in it refuses the request."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from extauthz.model.errors import Denied, Reason, Unavailable

T = TypeVar("T")


class Containment:
    """Calls one extension.

    Each call is a task of its own, so that one that ignores its cancellation is left behind and not waited for.
    Code that blocks the thread cannot be interrupted.
    """

    def __init__(self, name: str, *, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._left_behind: set[asyncio.Task[object]] = set()

    async def call(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call returns.

        Raises:
            Denied: the extension refuses; or it failed, and the reason is `internal`.
            Unavailable: the extension says so, or its time budget is spent.
        """
        task = asyncio.create_task(self._guarded(call))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._seconds)
        except asyncio.CancelledError:
            self._leave(task)
            raise
        if not done:
            self._leave(task)
            raise Unavailable(f"extension {self._name}", "time budget spent")
        return self._result(task)

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await call()
        except Denied as denied:
            _verify_denied(denied)
            raise
        except Unavailable as missing:
            _verify_unavailable(missing)
            raise
        except (SystemExit, KeyboardInterrupt) as error:
            # A task hands these two to the event loop, which would end.
            raise self._failed(error) from error

    def _result(self, task: asyncio.Task[T]) -> T:
        if task.cancelled():  # by the extension itself
            raise self._failed(asyncio.CancelledError())
        error = task.exception()
        if error is None:
            return task.result()
        if isinstance(error, Denied | Unavailable):
            raise error
        raise self._failed(error) from error

    def _failed(self, error: BaseException) -> Denied:
        # The type only: the message may quote a credential.
        return Denied(Reason.INTERNAL, f"extension {self._name}: {type(error).__name__}")

    def _leave(self, task: asyncio.Task[T]) -> None:
        task.cancel()
        self._left_behind.add(task)  # the event loop itself holds tasks only weakly
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not log its message


def _verify_denied(denied: Denied) -> None:
    """Its parts are what their types say: they become an answer.

    Raises:
        TypeError: they are not.
    """
    texts = [denied.detail, *denied.scopes, *denied.methods, denied.dpop_nonce or ""]
    if not isinstance(denied.reason, Reason) or not all(isinstance(text, str) for text in texts):
        raise TypeError("not a Denied of the documented types")


def _verify_unavailable(missing: Unavailable) -> None:
    texts = (missing.component, missing.detail)
    if not all(isinstance(text, str) for text in texts) or not isinstance(missing.retry_after_seconds, int):
        raise TypeError("not an Unavailable of the documented types")
