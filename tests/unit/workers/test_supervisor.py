"""Who is started when, and with what status all of it ends. The workers are a few lines each."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from extauthz.workers.supervisor import Supervisor
from extauthz.workers.worker import Worker

PREPARE = "import os, signal, socket, sys; line = socket.socket(fileno=0); "
LISTEN = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP}); line.send(b'x'); "
SIGNAL = "signal.sigwait({signal.SIGTERM, signal.SIGHUP})"
SERVE = PREPARE + LISTEN + SIGNAL


def worker(number, script, folder):
    command = (sys.executable, "-I", "-c", script)
    return Worker(number, command=command, operations=folder / f"{number}.sock")


@asynccontextmanager
async def supervised(folder, *scripts):
    """A supervisor, its workers, and the task that ends with the status."""
    stop = asyncio.Event()
    workers = [worker(number, script, folder) for number, script in enumerate(scripts, 1)]
    supervisor = Supervisor(workers, stop=stop)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, workers, running, stop
    finally:
        stop.set()
        await running


async def next_life(worker, former=None):
    """Waits for its listening in another process; there is no event for a life that is not the first."""
    while not worker.listening or worker.process_id == former:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_told_to_stop_all_end_and_so_does_it(tmp_path):
    async with supervised(tmp_path, SERVE, SERVE) as (supervisor, workers, running, stop):
        for each in workers:
            await each.listened.wait()
        assert not supervisor.draining
        stop.set()
        assert await running == 0
        assert supervisor.draining
        assert [each.process_id for each in workers] == [None, None]


async def test_the_others_wait_for_the_first(tmp_path):
    """So that what is wrong for all of them is said once."""
    os.mkfifo(tmp_path / "gate")
    waits = f"{PREPARE}open({str(tmp_path / 'gate')!r}).read(); {LISTEN}{SIGNAL}"
    async with supervised(tmp_path, waits, SERVE) as (_, workers, _, _):
        opened = await asyncio.to_thread((tmp_path / "gate").open, "w")  # the first has come so far
        assert workers[1].process_id is None
        opened.close()
        await workers[1].listened.wait()


@pytest.mark.parametrize(("end", "status"), [("sys.exit(2)", 2), ("os.kill(os.getpid(), signal.SIGKILL)", 1)])
@pytest.mark.parametrize("place", [0, 1])
async def test_the_end_of_one_at_the_start_is_the_end_of_all_with_its_status(tmp_path, end, status, place):
    scripts = [SERVE, SERVE]
    scripts[place] = PREPARE + end
    async with supervised(tmp_path, *scripts) as (_, workers, running, _):
        assert await running == status
        assert workers[1 - place].process_id is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_one_that_ends_later_is_started_again(tmp_path, end):
    with capture_logs() as logs:
        async with supervised(tmp_path, SERVE, SERVE) as (_, workers, running, stop):
            for each in workers:
                await each.listened.wait()
            killed, other = workers[0].process_id, workers[1].process_id
            workers[0].tell(end)
            await next_life(workers[0], killed)
            assert workers[1].process_id == other
            stop.set()
            assert await running == 0
    (told,) = [line for line in logs if line["event"] == "worker_ended"]
    assert (told["worker"], told["status"]) == (1, -9 if end is signal.SIGKILL else 0)


async def test_what_cannot_be_executed_any_more_is_tried_again(tmp_path):
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    replaced = Worker(1, command=(str(program), "-I", "-c", SERVE), operations=tmp_path / "1.sock")
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(Supervisor([replaced], stop=stop).run())
        await replaced.listened.wait()
        killed = replaced.process_id
        program.unlink()
        replaced.tell(signal.SIGKILL)
        while not any(line["event"] == "worker_not_started" for line in logs):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        program.symlink_to(sys.executable)
        await next_life(replaced, killed)
        stop.set()
        assert await running == 0


async def test_one_that_fails_at_its_end_is_a_failure(tmp_path):
    fails = f"{PREPARE}{LISTEN}{SIGNAL}; sys.exit(3)"
    async with supervised(tmp_path, SERVE, fails) as (_, workers, running, stop):
        for each in workers:
            await each.listened.wait()
        stop.set()
        assert await running == 3


async def test_one_that_is_not_far_enough_to_take_a_signal_is_no_failure(tmp_path):
    os.mkfifo(tmp_path / "gate")
    waits = PREPARE + f"open({str(tmp_path / 'gate')!r}).read()"
    async with supervised(tmp_path, waits) as (_, _, running, stop):
        opened = await asyncio.to_thread((tmp_path / "gate").open, "w")
        stop.set()
        assert await running == 0
        opened.close()


FIRST_SIGNAL = f"first = {SIGNAL}; first is signal.SIGHUP and {SIGNAL}; sys.exit(40 + first)"
"""The status has the number of the first signal; after SIGHUP comes SIGTERM."""


async def test_who_listens_is_told_to_reload(tmp_path):
    async with supervised(tmp_path, PREPARE + LISTEN + FIRST_SIGNAL) as (supervisor, workers, running, stop):
        await workers[0].listened.wait()
        supervisor.reload()
        stop.set()
        assert await running == 40 + signal.SIGHUP


async def test_who_does_not_listen_yet_is_told_to_reload_once_it_does(tmp_path):
    """The signal would end it before; and what it has read may be long out of date."""
    os.mkfifo(tmp_path / "gate")
    waits = f"{PREPARE}open({str(tmp_path / 'gate')!r}).read(); {LISTEN}{FIRST_SIGNAL}"
    async with supervised(tmp_path, waits) as (supervisor, workers, running, stop):
        opened = await asyncio.to_thread((tmp_path / "gate").open, "w")
        supervisor.reload()
        opened.close()
        listened = asyncio.create_task(workers[0].listened.wait())
        await asyncio.wait([running, listened], return_when=asyncio.FIRST_COMPLETED)
        listened.cancel()
        stop.set()
        assert await running == 40 + signal.SIGHUP


async def test_who_is_started_after_a_reload_is_not_told_of_it(tmp_path):
    """It reads the settings of by then."""
    started = worker(1, PREPARE + LISTEN + FIRST_SIGNAL, tmp_path)
    started.reload()
    await started.start()
    ended = asyncio.create_task(started.ended())
    await started.listened.wait()
    started.tell(signal.SIGTERM)
    assert await ended == 40 + signal.SIGTERM


async def test_when_one_is_lost_the_others_still_come_to_their_end(tmp_path):
    os.mkfifo(tmp_path / "gate")
    drains = f"{PREPARE}{LISTEN}{SIGNAL}; open({str(tmp_path / 'gate')!r}).read()"
    lost = Worker(2, command=("no\0program",), operations=tmp_path / "2.sock")
    drained = worker(1, drains, tmp_path)
    with capture_logs() as logs:
        running = asyncio.create_task(Supervisor([drained, lost], stop=asyncio.Event()).run())
        opened = await asyncio.to_thread((tmp_path / "gate").open, "w")  # the first was told to go
        assert drained.process_id is not None
        assert not running.done()
        opened.close()
        assert await running == 1
    assert drained.process_id is None
    assert [line["error"] for line in logs if line["event"] == "worker_lost"] == ["ValueError"]


async def test_a_signal_for_our_whole_group_is_not_for_the_workers(tmp_path):
    """It may come before they can take one. They are told by us."""
    async with supervised(tmp_path, SERVE) as (_, workers, _, _):
        await workers[0].listened.wait()
        assert os.getpgid(workers[0].process_id) != os.getpgid(0)


async def test_the_files_of_a_worker_are_there_at_each_start(tmp_path):
    """Whoever clears folders of old files takes them meanwhile."""
    file = tmp_path / "settings"
    serves = f"{PREPARE}open({str(file)!r}).read() == 'text \u00e4' or sys.exit(2); {LISTEN}{SIGNAL}"
    command = (sys.executable, "-I", "-c", serves)
    started = Worker(1, command=command, operations=tmp_path / "1.sock", files={file: "text \u00e4"})
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor([started], stop=stop).run())
    await started.listened.wait()
    killed = started.process_id
    file.unlink()
    started.tell(signal.SIGKILL)
    await next_life(started, killed)
    stop.set()
    assert await running == 0


async def test_a_worker_sees_the_end_of_its_supervisor(tmp_path):
    """Standard input is at its end as soon as nobody holds the other end, whatever else was inherited."""
    told = tmp_path / "told"
    os.mkfifo(told)
    script = PREPARE + f"line.recv(1); open({str(told)!r}, 'w').write('gone')"
    run = (
        "import asyncio, os, sys; from pathlib import Path; from extauthz.workers.worker import Worker\n"
        "async def main():\n"
        f"    await Worker(1, command=(sys.executable, '-I', '-c', {script!r}), operations=Path('none')).start()\n"
        "    os._exit(0)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", run, cwd=tmp_path)
    assert await process.wait() == 0
    assert await asyncio.to_thread(told.read_text) == "gone"
