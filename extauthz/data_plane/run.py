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
from extauthz.data_plane.sharing import Sharing
from extauthz.data_plane.switch import Switch
from extauthz.document.strict import load
from extauthz.settings.process import Settings
from extauthz.telemetry.event_loop import watch_event_loop
from extauthz.telemetry.health import Health
from extauthz.telemetry.log_lines import LogLines
from extauthz.telemetry.logs import configure_logs

_LISTENER = "listener"
"""In the health of the process: whether the ports for Checks are open."""

_log = structlog.get_logger(__name__)


async def serve(config: Path, sharing: Sharing | None = None) -> None:
    """Serves by the settings in a file until SIGTERM or SIGINT, then drains.

    With `sharing`, as one of several processes on the same ports.

    Raises:
        DocumentError: the settings, the catalog or a secret cannot be used.
        OSError: an address cannot be listened on.
    """
    stop, reload = _signals()
    # Noted before anything is read: what changes meanwhile is read once more.
    seen = signatures([config])
    settings = load(config, Settings)
    if sharing is not None:
        sharing.stop_without_supervisor(stop)
        settings = sharing.joined(settings)
    seen = signatures(watched_files(settings, config)) | seen
    async with AsyncExitStack() as stack:
        # Entered first: the last words are on their way before it is left.
        worker = sharing.number if sharing is not None else None
        lines = stack.enter_context(LogLines(sys.stderr.fileno(), worker=worker))
        configure_logs(lines, worker=worker)
        lasting = Lasting.of(settings, time.time, log_lines_dropped=lambda: lines.dropped)
        lasting.health.add(_LISTENER, essential=True)
        lasting.health.subscribe(_ReadinessLog())
        _in_background(watch_event_loop(lasting.metrics.loop_lag.observe), stop, stack)
        first = await RunningPlane.start(settings, config.parent, lasting=lasting)
        # Until the last Check of the drain it follows: what is revoked meanwhile must not be let in.
        switch = Switch(first, lasting.health)
        stack.push_async_callback(switch.close)
        ports = _Ports(switch, lasting, config.parent, sharing)
        await ports.open_operations(stack)
        async with AsyncExitStack() as meanwhile:
            usable = sharing.joined if sharing is not None else None
            following = Reload(config, switch, lasting, seen=seen, asked=reload, usable=usable).follow()
            _in_background(following, stop, meanwhile)
            if sharing is not None:
                # Connections that come here before it can answer would be kept from the others.
                await _first(_prepared(lasting.health), switch.ended(), stop.wait())
            if not stop.is_set():
                await ports.open(stack)
                await _first(switch.ended(), stop.wait())
            _log.info("draining", seconds=switch.now.plane.settings.limits.drain_seconds)
    _log.info("stopped")


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Runs all until one ends; what it raises is raised here."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


async def _prepared(health: Health) -> None:
    """Waits until nothing is missing but the open ports."""
    prepared = asyncio.Event()

    def look(now: Health) -> None:
        if all(each.ok for name, each in now.components.items() if each.essential and name != _LISTENER):
            prepared.set()

    health.subscribe(look)
    look(health)
    await prepared.wait()


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


class _Ports:
    """Where the process can be reached; each is closed when its stack is left."""

    def __init__(self, switch: Switch, lasting: Lasting, folder: Path, sharing: Sharing | None) -> None:
        self._switch = switch
        self._lasting = lasting
        self._folder = folder
        self._sharing = sharing
        self._settings = switch.now.plane.settings
        self._operations_port = 0

    async def open_operations(self, stack: AsyncExitStack) -> None:
        """The first to open is the last to close: whoever watches the end can see it."""
        path = self._sharing.operations if self._sharing is not None else None
        operations = operations_server(self._settings, self._switch, path=path)
        self._operations_port = await operations.start()
        stack.push_async_callback(operations.stop)

    async def open(self, stack: AsyncExitStack) -> None:
        """Opens those for Checks."""
        shared = self._sharing is not None
        settings, lasting, servicer = self._settings, self._lasting, self._switch.servicer
        envoy = envoy_server(settings, servicer, lasting.health, self._folder, lasting.clock, shared=shared)

        async def drain() -> None:
            limits = self._switch.now.plane.settings.limits
            await envoy.drain(delay_seconds=limits.drain_seconds, grace_seconds=limits.grace_seconds)

        await self._open_http_check(stack)
        port = await envoy.start()
        stack.push_async_callback(drain)
        self._lasting.health.report(_LISTENER, ok=True, detail="open")
        _log.info("listening", address=settings.listen, port=port, operations_port=self._operations_port)
        if self._sharing is not None:
            self._sharing.tell_listening()

    async def _open_http_check(self, stack: AsyncExitStack) -> None:
        """Answers for as long as Envoy's server does: that is opened later, and drained before."""
        settings, listen = self._settings, self._settings.http_check
        http_check = http_check_server(settings, self._switch.servicer, shared=self._sharing is not None)
        if http_check is None or listen is None:
            return
        port = await http_check.start()
        stack.push_async_callback(http_check.stop, settings.limits.grace_seconds)
        _log.info("http_check_listening", address=listen.listen, port=port, proxy=listen.proxy)


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """What says that the process is to stop, and that it is to read its settings again."""
    stop, reload = asyncio.Event(), asyncio.Event()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reload)):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return stop, reload
