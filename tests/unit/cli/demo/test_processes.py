import asyncio
import os
import select
import signal
import sys

import pytest

from extauthz.cli.demo.processes import Processes, Program, ProgramFailed

pytestmark = pytest.mark.external_service

ENDS = "import sys; print('no licence found', file=sys.stderr); sys.exit(3)"
WAITS = "import signal, sys; open(sys.argv[1], 'w').close(); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS
OBEDIENT = """
import signal, sys
def stop(*_):
    with open(sys.argv[3], 'a') as stopped:
        print(sys.argv[2], file=stopped)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1], 'w').close()
signal.pause()
"""
PARENT = """
import asyncio, pathlib, sys
from extauthz.cli.demo.processes import Processes, Program
folder = pathlib.Path(sys.argv[1])
async def ready():
    return (folder / 'ready').exists()
async def main():
    async with Processes(folder) as processes:
        argv = (sys.executable, '-c', sys.argv[2], str(folder / 'ready'))
        print(await processes.start(Program(name='child', argv=argv, ready=ready)), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def python(code, *arguments, name="child", ready):
    return Program(name=name, argv=(sys.executable, "-c", code, *arguments), ready=ready)


def marking(code, marker, *arguments, name="child"):
    """A program that makes the file `marker` when it is ready."""

    async def ready():
        return marker.exists()

    return python(code, str(marker), *arguments, name=name, ready=ready)


async def never():
    return False


async def gone(pid_descriptor):
    """Waits until the process of a pidfd has ended, whoever its parent is."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pid_descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pid_descriptor)
        os.close(pid_descriptor)


async def test_program_is_gone_after_the_context(tmp_path):
    async with Processes(tmp_path) as processes:
        pid = await processes.start(marking(WAITS, tmp_path / "ready"))
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_program_that_ends_at_once_is_reported_with_its_last_lines(tmp_path):
    async with Processes(tmp_path, start_seconds=3600) as processes:
        with pytest.raises(ProgramFailed, match=r"(?s)child ended with status 3 before it was ready.*no licence found"):
            await processes.start(python(ENDS, ready=never))


async def test_program_that_is_not_ready_in_time_is_reported_and_stopped(tmp_path):
    async with Processes(tmp_path, start_seconds=0.01) as processes:
        with pytest.raises(ProgramFailed, match=r"not ready within 0\.01 s"):
            await processes.start(python(WAITS, ready=never))


async def test_missing_program_is_reported(tmp_path):
    program = Program(name="envoy", argv=(str(tmp_path / "no-envoy"),), ready=never)
    async with Processes(tmp_path, start_seconds=3600) as processes:
        with pytest.raises(ProgramFailed, match=r"cannot execute .*no-envoy"):
            await processes.start(program)


async def test_programs_are_stopped_in_reverse_order(tmp_path):
    async with Processes(tmp_path) as processes:
        for name in ("first", "second", "third"):
            arguments = (name, str(tmp_path / "stopped"))
            await processes.start(marking(OBEDIENT, tmp_path / name, *arguments, name=name))
    assert (tmp_path / "stopped").read_text().split() == ["third", "second", "first"]


async def test_program_that_ignores_sigterm_is_killed(tmp_path):
    async with Processes(tmp_path, stop_seconds=0.01) as processes:
        pid = await processes.start(marking(STUBBORN, tmp_path / "ready"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_cancelled_stop_still_ends_every_program(tmp_path):
    pids = asyncio.get_running_loop().create_future()

    async def hold():
        async with Processes(tmp_path, stop_seconds=3600) as processes:
            pids.set_result(await processes.start(marking(STUBBORN, tmp_path / "ready")))

    holder = asyncio.create_task(hold())
    pid = await pids
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_watch_reports_the_program_that_ends(tmp_path):
    async with Processes(tmp_path) as processes:
        pid = await processes.start(marking(WAITS, tmp_path / "ready"))
        watch = asyncio.create_task(processes.watch())
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ProgramFailed, match="child ended with status -9"):
            await watch


async def test_environment_is_added_to_ours(tmp_path):
    code = "import os, sys; sys.exit(os.environ['DEMO_SETTING'] + ' ' + str('PATH' in os.environ))"
    program = Program(
        name="child", argv=(sys.executable, "-c", code), ready=never, environment={"DEMO_SETTING": "from us"}
    )
    async with Processes(tmp_path) as processes:
        with pytest.raises(ProgramFailed, match="from us True"):
            await processes.start(program)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="the kernel's help is Linux's")
async def test_no_program_survives_a_killed_parent(tmp_path):
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), WAITS, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = os.pidfd_open(int(await parent.stdout.readline()))
    parent.kill()
    await asyncio.gather(parent.wait(), gone(child))
