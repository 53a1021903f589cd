"""Runs the data plane until it is told to stop, and leaves without a refusal."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.named_files import signatures, watched_files
from extauthz.data_plane.reload import Reload
from extauthz.data_plane.running import RunningPlane
from extauthz.data_plane.servers import envoy_server, http_check_server, operations_server
from extauthz.data_plane.switch import Switch
from extauthz.document.strict import load
from extauthz.settings.process import Settings
from extauthz.telemetry.event_loop import watch_event_loop
from extauthz.telemetry.health import Health
from extauthz.telemetry.log_lines import LogLines
from extauthz.telemetry.logs import configure_logs

_log = structlog.get_logger(__name__)


async def serve(config: Path) -> None:
    """Serves by the settings in a file until SIGTERM or SIGINT, then drains.

    Raises:
        DocumentError: the settings, the catalog or a secret cannot be used.
        OSError: an address cannot be listened on.
    """
    stop, reload = _signals()
    # Noted before anything is read: what changes meanwhile is read once more.
    seen = signatures([config])
    settings = load(config, Settings)
    seen = signatures(watched_files(settings, config)) | seen
    async with AsyncExitStack() as stack:
        # Entered first: the last words are on their way before it is left.
        lines = stack.enter_context(LogLines(sys.stderr.fileno()))
        configure_logs(lines)
        lasting = Lasting.of(settings, time.time, log_lines_dropped=lambda: lines.dropped)
        lasting.health.subscribe(_ReadinessLog())
        _in_background(watch_event_loop(lasting.metrics.loop_lag.observe), stop, stack)
        first = await RunningPlane.start(settings, config.parent, lasting=lasting)
        # Until the last Check of the drain it follows: what is revoked meanwhile must not be let in.
        switch = Switch(first, lasting.health)
        stack.push_async_callback(switch.close)
        await _start(switch, lasting, config.parent, stack)
        _in_background(Reload(config, switch, lasting, seen=seen, asked=reload).follow(), stop, stack)
        await _ended(switch.ended(), stop)
        _log.info("draining", seconds=switch.now.plane.settings.limits.drain_seconds)
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


async def _start(switch: Switch, lasting: Lasting, folder: Path, stack: AsyncExitStack) -> None:
    settings = switch.now.plane.settings
    envoy = envoy_server(settings, switch.servicer, lasting.health, folder, lasting.clock)
    operations = operations_server(settings, switch)

    async def drain() -> None:
        limits = switch.now.plane.settings.limits
        await envoy.drain(delay_seconds=limits.drain_seconds, grace_seconds=limits.grace_seconds)

    # The first to start is the last to stop: whoever watches the end can see it.
    operations_port = await operations.start()
    stack.push_async_callback(operations.stop)
    await _start_http_check(switch, stack)
    port = await envoy.start()
    stack.push_async_callback(drain)
    _log.info("listening", address=settings.listen, port=port, operations_port=operations_port)


async def _start_http_check(switch: Switch, stack: AsyncExitStack) -> None:
    """Answers for as long as Envoy's server does: that is started later, and drained before."""
    settings = switch.now.plane.settings
    http_check = http_check_server(settings, switch.servicer)
    if http_check is None or settings.http_check is None:
        return
    port = await http_check.start()
    stack.push_async_callback(http_check.stop, settings.limits.grace_seconds)
    _log.info("http_check_listening", address=settings.http_check.listen, port=port, proxy=settings.http_check.proxy)


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """What says that the process is to stop, and that it is to read its settings again."""
    stop, reload = asyncio.Event(), asyncio.Event()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reload)):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return stop, reload
