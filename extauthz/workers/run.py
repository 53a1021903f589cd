"""Runs workers until they are told to stop."""

import asyncio
import signal
from collections.abc import Sequence

import structlog

from extauthz.operations.server import OperationsServer
from extauthz.workers.free_address import ensure_free
from extauthz.workers.pages import OperationsOfAll
from extauthz.workers.supervisor import Supervisor
from extauthz.workers.worker import Worker

Address = tuple[str, int]
"""Host and port."""

_log = structlog.get_logger(__name__)


async def supervise(workers: Sequence[Worker], *, operations: Address, shared: Sequence[Address]) -> int:
    """Runs the workers until SIGTERM or SIGINT, and until they have ended; returns the exit status.

    They listen on the addresses that they share, and this process for operators.

    Raises:
        OSError: an address cannot be listened on.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    supervisor = Supervisor(workers, stop=stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, supervisor.reload)
    host, port = operations
    pages = OperationsOfAll(workers, draining=lambda: supervisor.draining)
    server = OperationsServer(pages, host=host, port=port)
    chosen = await server.start()
    try:
        ensure_free(shared)
        _log.info("supervising", workers=len(workers), operations_port=chosen)
        status = await supervisor.run()
    finally:
        # The last to stop, so that whoever watches the end can see it.
        await server.stop()
    _log.info("stopped", status=status)
    return status
