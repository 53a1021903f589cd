"""Keeps workers alive."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence

import structlog

from extauthz.workers.restart_pause import RestartPause
from extauthz.workers.worker import Worker

_TOLD_TO_GO = frozenset({0, -signal.SIGTERM, -signal.SIGINT})
"""How a worker ends that was told to; by the signal itself before it can take one."""
_FAILURE = 1

_log = structlog.get_logger(__name__)


class Supervisor:
    """Starts the workers, and starts those again that end.

    What is wrong at the start is the end of all, as it is the end of one that is alone. Later the others go on: they
    hold what they need, whatever has become of files and addresses meanwhile.
    """

    def __init__(self, workers: Sequence[Worker], *, stop: asyncio.Event) -> None:
        """Whoever sets `stop` has all of them end."""
        self._workers = tuple(workers)
        self._stop = stop
        self._status = 0

    @property
    def draining(self) -> bool:
        """Whether they are told to go."""
        return self._stop.is_set()

    async def run(self) -> int:
        """Returns when all have ended: 0, or the status of what went wrong."""
        first, *others = self._workers
        kept = [self._kept(first)]
        # Alone, so that settings or a catalog of no use are complained of once.
        await self._unless_stopped(first.listened)
        if not self._stop.is_set():
            kept += map(self._kept, others)
        await self._stop.wait()
        self._tell(signal.SIGTERM)
        for end in await asyncio.gather(*kept, return_exceptions=True):
            if isinstance(end, BaseException):
                _log.error("worker_lost", error=type(end).__name__)
                self._note(_FAILURE)
        return self._status

    def reload(self) -> None:
        """Has all read their settings again."""
        for worker in self._workers:
            worker.reload()

    def _kept(self, worker: Worker) -> asyncio.Task[None]:
        keeping = asyncio.create_task(self._keep(worker))
        keeping.add_done_callback(lambda _: self._stop.set())
        return keeping

    async def _keep(self, worker: Worker) -> None:
        pause = RestartPause()
        while True:
            begun = time.monotonic()
            status = await self._life(worker)
            if self._stop.is_set() or not all(each.listened.is_set() for each in self._workers):
                return self._note(status)
            seconds = pause.after(time.monotonic() - begun)
            _log.error("worker_ended", worker=worker.number, status=status, pause_seconds=seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stop.wait()
                    return None

    async def _life(self, worker: Worker) -> int:
        try:
            await worker.start()
        except OSError as error:
            _log.error("worker_not_started", worker=worker.number, problem=error.strerror)
            return _FAILURE
        _log.info("worker_started", worker=worker.number, process_id=worker.process_id)
        if self._stop.is_set():  # while it was started
            worker.tell(signal.SIGTERM)
        return await worker.ended()

    def _note(self, status: int) -> None:
        if status not in _TOLD_TO_GO and self._status == 0:
            self._status = status if status > 0 else _FAILURE

    def _tell(self, number: signal.Signals) -> None:
        for worker in self._workers:
            worker.tell(number)

    async def _unless_stopped(self, event: asyncio.Event) -> None:
        waiting = [asyncio.create_task(each.wait()) for each in (event, self._stop)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
