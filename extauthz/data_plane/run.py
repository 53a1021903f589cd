"""Runs the data plane until it is told to stop, and leaves without a refusal."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from extauthz.data_plane.build import DataPlane, build
from extauthz.settings import Settings

_log = structlog.get_logger(__name__)


async def serve(settings: Settings, folder: Path) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        DocumentError: the catalog or a secret cannot be used.
        OSError: an address cannot be listened on.
    """
    stop = _stop_signal()
    async with AsyncExitStack() as stack:
        plane = await build(settings, folder, stack)
        await _start(plane, settings, stack)
        if await _ended(plane.catalog_source.load(), stop):
            _log.info("ready")
            await _ended(plane.catalog_source.follow(settings.catalog.reload_seconds), stop)
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
