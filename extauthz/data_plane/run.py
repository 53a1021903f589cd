"""Runs the data plane until it is told to stop, and leaves without a refusal."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from extauthz.data_plane.build import DataPlane, build
from extauthz.settings.process import Settings
from extauthz.telemetry.event_loop import watch_event_loop
from extauthz.telemetry.health import Health
from extauthz.telemetry.log_lines import LogLines
from extauthz.telemetry.logs import configure_logs

_log = structlog.get_logger(__name__)


async def serve(settings: Settings, folder: Path) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        DocumentError: the catalog or a secret cannot be used.
        OSError: an address cannot be listened on.
    """
    stop = _stop_signal()
    async with AsyncExitStack() as stack:
        # Entered first: the last words are on their way before it is left.
        lines = stack.enter_context(LogLines(sys.stderr.fileno()))
        configure_logs(lines)
        plane = await build(settings, folder, stack, log_lines_dropped=lambda: lines.dropped)
        plane.health.subscribe(_ReadinessLog())
        _in_background(watch_event_loop(plane.metrics.loop_lag.observe), stop, stack)
        # Until the last Check of the drain: it must not let in what is revoked meanwhile.
        _in_background(plane.revocation.follow(), stop, stack)
        await _start(plane, settings, stack)
        await _ended(plane.follow_catalog(), stop)
        _log.info("draining", seconds=settings.limits.drain_seconds)
    _log.info("stopped")


async def _ended(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Runs work until it ends (True; what it raises is raised here) or the process is told to stop (False)."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        working.cancel()
        stopping.cancel()


def _in_background(work: Coroutine[Any, Any, None], stop: asyncio.Event, stack: AsyncExitStack) -> None:
    """Runs work until the stack is left. If it ends before, so does the process: nothing goes on without it."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: stop.set())
    stack.push_async_callback(_end, task)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class _ReadinessLog:
    def __init__(self) -> None:
        self._ready = False

    def __call__(self, health: Health) -> None:
        if health.ready is not self._ready:
            self._ready = health.ready
            _log.info("ready" if self._ready else "not_ready")


async def _start(plane: DataPlane, settings: Settings, stack: AsyncExitStack) -> None:
    # The first to start is the last to stop: whoever watches the end can see it.
    operations = await plane.operations.start()
    stack.push_async_callback(plane.operations.stop)
    port = await plane.server.start()
    stack.push_async_callback(
        plane.server.drain,
        delay_seconds=settings.limits.drain_seconds,
        grace_seconds=settings.limits.grace_seconds,
    )
    _log.info("listening", address=settings.listen, port=port, operations_port=operations)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
