"""Programs as child processes: started one after another, ready before the next, stopped in reverse order."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

Ready = Callable[[], Awaitable[bool]]
"""Whether a program serves; it is asked again and again until it says yes."""

_POLL_SECONDS = 0.02
_LAST_LINES = 20
_BOUND = Path(__file__).with_name("bound.py")


class ProgramFailed(Exception):  # noqa: N818 - says what happened
    """A program could not be started, ended by itself or was not ready in time; the message has its last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start."""

    name: str
    """Also the name of its log, `<name>.log` in the work folder."""
    argv: tuple[str, ...]
    ready: Ready = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to our own; may hold secrets."""


class Processes:
    """Starts programs and owns them: on leaving the context all are gone, however it is left.

    Each runs in a session of its own, so that Ctrl-C reaches only us and the order of stopping is ours.
    On Linux the kernel ends them when we are killed (for that, start them from the main thread).
    """

    def __init__(self, folder: Path, *, start_seconds: float = 30.0, stop_seconds: float = 10.0) -> None:
        self._folder = folder
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._running: list[tuple[Program, asyncio.subprocess.Process]] = []

    async def __aenter__(self) -> Self:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for _, process in reversed(self._running):
                await self._stop(process)
        finally:  # cancelled while one of them took its time
            await self._kill_rest()

    async def start(self, program: Program) -> int:
        """Starts a program, waits until it is ready, and returns its process id.

        Raises:
            ProgramFailed: it cannot be executed, ended before it was ready, or needed longer than `start_seconds`.
        """
        process = await self._spawn(program)
        self._running.append((program, process))
        ready, ended = asyncio.ensure_future(_until(program.ready)), asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({ready, ended}, timeout=self._start_seconds, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise self._failed(program, f"ended with status {ended.result()} before it was ready")
            if not ready.done():
                raise self._failed(program, f"was not ready within {self._start_seconds:g} s")
            ready.result()
        finally:
            await _cancel(ready, ended)
        return process.pid

    async def watch(self) -> NoReturn:
        """Waits until one of the programs ends by itself.

        Raises:
            ProgramFailed: always, for the one that ended.
        """
        waits = {asyncio.ensure_future(process.wait()): program for program, process in self._running}
        if not waits:
            raise ProgramFailed("no program runs")
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(*waits)
        ended = done.pop()
        raise self._failed(waits[ended], f"ended with status {ended.result()}")

    def log(self, name: str) -> Path:
        """The file with what a program printed."""
        return self._folder / f"{name}.log"

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        with self.log(program.name).open("wb") as log:
            try:
                return await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", str(_BOUND), str(os.getpid())),
                    *program.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **program.environment},
                    start_new_session=True,
                )
            except OSError as exc:
                raise ProgramFailed(f"{program.name} could not be started: {exc}") from exc

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._stop_seconds):
                await process.wait()
        except TimeoutError:
            _kill(process)
            await process.wait()

    async def _kill_rest(self) -> None:
        for _, process in self._running:
            _kill(process)
        await asyncio.gather(*(process.wait() for _, process in self._running))
        self._running.clear()

    def _failed(self, program: Program, what: str) -> ProgramFailed:
        lines = self.log(program.name).read_text(encoding="utf-8", errors="replace").splitlines()
        return ProgramFailed("\n  ".join([f"{program.name} {what}; its last lines:", *lines[-_LAST_LINES:]]))


async def _until(ready: Ready) -> None:
    while not await ready():  # noqa: ASYNC110 - another program has no event for us
        await asyncio.sleep(_POLL_SECONDS)


async def _cancel(*tasks: asyncio.Future[None] | asyncio.Future[int]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _kill(process: asyncio.subprocess.Process) -> None:
    # The whole group, which bears the leader's id; not reaped yet, so nobody else can have it.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
