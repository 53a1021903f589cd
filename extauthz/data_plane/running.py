"""A data plane with what it does in the background, from its making to its end."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from extauthz.data_plane.build import DataPlane, build
from extauthz.data_plane.lasting import Lasting
from extauthz.document.mistakes import UnreadyDocumentError
from extauthz.envoy.in_flight import InFlight
from extauthz.model.errors import Unavailable
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


class RunningPlane:
    """Follows the catalog and the revocations until it is closed."""

    def __init__(self, plane: DataPlane, stack: AsyncExitStack) -> None:
        """`stack` has all that `plane` opened."""
        self.plane = plane
        self.answering = plane.servicer.answering
        """Kept here: the servicer of the first data plane comes to serve the next ones."""
        self.requests = InFlight()
        """Those of operators; for Checks see `Answering.waiting`."""
        self._stack = stack
        works = (plane.follow_catalog(), plane.revocation.follow(), plane.shadow.watch())
        self._following = [asyncio.create_task(work) for work in works]
        for task in self._following:
            stack.push_async_callback(_end, task)

    @classmethod
    async def start(
        cls,
        settings: Settings,
        folder: Path,
        *,
        lasting: Lasting | None = None,
        former: DataPlane | None = None,
    ) -> Self:
        """See `build`; `former` is what serves until this one does.

        Raises:
            DocumentError: a secret is missing or of no use for its purpose.
        """
        async with AsyncExitStack() as stack:
            memory = former.memory if former else None
            plane = await build(settings, folder, stack, lasting=lasting, former=memory)
            return cls(plane, stack.pop_all())

    async def ready(self, timeout_seconds: float) -> None:
        """Waits until it could serve.

        Raises:
            DocumentError: the catalog cannot be used.
            Unavailable: it was not ready in time: its Redis or a key manager does not answer.
        """
        health, changed = self.plane.health, asyncio.Event()
        health.subscribe(lambda now: changed.set() if now.ready else None)
        waiting = asyncio.create_task(changed.wait())
        try:
            if not health.ready:
                await asyncio.wait(
                    {waiting, *self._following}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED
                )
            self._raise_what_ended()
            if not health.ready:
                raise Unavailable("extauthz", f"not ready after {timeout_seconds:g} s: {_missing(health)}")
        finally:
            waiting.cancel()

    def on_end(self, tell: Callable[[asyncio.Task[None]], None]) -> None:
        """Tells of a task that ends, unless it is by `close`."""
        for task in self._following:
            task.add_done_callback(lambda ended: None if ended.cancelled() else tell(ended))

    async def finish(self) -> None:
        """Lets what is in flight end, for `limits.grace_seconds` at most, and closes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.plane.settings.limits.grace_seconds):
                await self.answering.waiting.ended()
                await self.requests.ended()
        await self.let_go()

    async def let_go(self) -> None:
        """Closes it and frees its catalog; what comes to the same process does not wait for it."""
        await self.close()
        await self.plane.updates.let_go()

    async def close(self) -> None:
        """Closes everything that it opened."""
        await self._stack.aclose()

    def _raise_what_ended(self) -> None:
        for task in self._following:
            if not task.done():
                continue
            try:
                task.result()
            except UnreadyDocumentError as error:  # nothing is wrong with the file itself
                raise Unavailable(error.source, "; ".join(mistake.message for mistake in error.mistakes)) from error


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):  # what it raised was raised where it mattered
        await task


def _missing(health: Health) -> str:
    failed = {name: component for name, component in health.components.items() if not component.ok}
    return "; ".join(f"{name}: {component.detail}" for name, component in sorted(failed.items()))
