"""The data plane of `serve` in this process, without its ports."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from extauthz.cli.check.source import Source, Told
from extauthz.data_plane.build import DataPlane, build
from extauthz.document.mistakes import UnreadyDocumentError
from extauthz.envoy.servicer import AuthorizationServicer, Decider
from extauthz.envoy_client.answer import answer_of
from extauthz.envoy_client.sample_request import SampleRequest
from extauthz.model.check import Decision, RequestContext
from extauthz.model.errors import Unavailable
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Health


class _Heard:
    """A decider whose last decision is kept."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self.decision: Decision | None = None

    async def decide(self, request: RequestContext) -> Decision:
        """See `Decider`."""
        self.decision = None
        self.decision = await self._decider.decide(request)
        return self.decision


class InProcess:
    """Asks the servicer itself, and hears of the decision behind its answer."""

    def __init__(self, plane: DataPlane, *, budget_seconds: float) -> None:
        self._heard = _Heard(plane.decider)
        self._servicer = AuthorizationServicer(
            decider=self._heard, responses=plane.responses, budget_seconds=budget_seconds
        )

    async def ask(self, request: SampleRequest) -> Told:
        """See `Source`."""
        started = time.perf_counter()
        response = await self._servicer.Check(request.check_request().SerializeToString())
        seconds = time.perf_counter() - started
        answer = answer_of(CheckResponse.FromString(response))
        return Told(answer=answer, decision=self._heard.decision, seconds=seconds)


@asynccontextmanager
async def in_process(settings: Settings, folder: Path, *, timeout_seconds: float) -> AsyncIterator[Source]:
    """A data plane that is ready; files that the settings name are relative to `folder`.

    Raises:
        DocumentError: the catalog or a secret cannot be used.
        Unavailable: it was not ready in time: its Redis or a key manager does not answer.
    """
    async with AsyncExitStack() as stack:
        plane = await build(settings, folder, stack)
        follow = [_background(work, stack) for work in (plane.follow_catalog(), plane.revocation.follow())]
        await _ready(plane.health, follow, timeout_seconds)
        yield InProcess(plane, budget_seconds=settings.limits.check_seconds)


def _background(work: Coroutine[Any, Any, None], stack: AsyncExitStack) -> asyncio.Task[None]:
    task = asyncio.create_task(work)
    stack.push_async_callback(_end, task)
    return task


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):  # what it raised was raised where it mattered
        await task


async def _ready(health: Health, follow: list[asyncio.Task[None]], timeout_seconds: float) -> None:
    changed = asyncio.Event()
    health.subscribe(lambda now: changed.set() if now.ready else None)
    waiting = asyncio.create_task(changed.wait())
    try:
        if not health.ready:
            await asyncio.wait({waiting, *follow}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        _raise_what_ended(follow)
        if not health.ready:
            raise Unavailable("extauthz", f"not ready after {timeout_seconds:g} s: {_missing(health)}")
    finally:
        waiting.cancel()


def _raise_what_ended(follow: list[asyncio.Task[None]]) -> None:
    for task in follow:
        if not task.done():
            continue
        try:
            task.result()
        except UnreadyDocumentError as error:  # nothing is wrong with the file itself
            raise Unavailable(error.source, "; ".join(mistake.message for mistake in error.mistakes)) from error


def _missing(health: Health) -> str:
    failed = {name: component for name, component in health.components.items() if not component.ok}
    return "; ".join(f"{name}: {component.detail}" for name, component in sorted(failed.items()))
