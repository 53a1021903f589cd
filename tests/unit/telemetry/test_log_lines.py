"""Log lines on their way through a pipe, be its reader slow or gone."""

import contextlib
import fcntl
import json
import os
import select
import threading

import pytest

from extauthz.telemetry.log_lines import LogLines, pieces


class Pipe:
    """A pipe, and what comes out of it."""

    def __init__(self):
        self.reading, self.writing = os.pipe()

    def fill(self):
        """As full as it can be: whoever writes next waits for a reader."""
        flags = fcntl.fcntl(self.writing, fcntl.F_GETFL)
        fcntl.fcntl(self.writing, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(self.writing, b"." * 4096):
                pass
        with contextlib.suppress(BlockingIOError):
            while os.write(self.writing, b"."):
                pass
        fcntl.fcntl(self.writing, fcntl.F_SETFL, flags)

    def read_to_end(self):
        """All lines; the end for writing is closed first."""
        os.close(self.writing)
        self.writing = -1
        with os.fdopen(self.reading, encoding="utf-8") as stream:
            self.reading = -1
            return stream.read().lstrip(".").splitlines()

    def close(self):
        for descriptor in (self.reading, self.writing):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    made.close()


def read_in_background(pipe):
    """Somebody who reads from now on; the lines are there once the pipe is closed for writing."""
    found = []

    def read():
        with os.fdopen(os.dup(pipe.reading), encoding="utf-8") as stream:
            found.append(stream.read().lstrip(".").splitlines())

    reader = threading.Thread(target=read)
    reader.start()

    def lines():
        os.close(pipe.writing)
        pipe.writing = -1
        reader.join()
        return found[0]

    return lines


def test_lines_arrive_in_order_and_all_of_them(pipe):
    lines = read_in_background(pipe)
    with LogLines(pipe.writing, pause_seconds=0.001) as log:
        for number in range(5000):
            log.write(f"line {number}\n")
    assert lines() == [f"line {number}" for number in range(5000)]
    assert log.dropped == 0


def test_lines_of_several_threads_all_arrive_whole(pipe):
    lines = read_in_background(pipe)
    with LogLines(pipe.writing, pause_seconds=0.001) as log:
        threads = [
            threading.Thread(target=lambda name=name: [log.write(f"{name} {n}\n") for n in range(500)])
            for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(lines()) == sorted(f"{name} {n}" for name in "abcd" for n in range(500))


def test_whoever_logs_does_not_wait_for_the_reader_and_is_told_what_was_lost(pipe):
    pipe.fill()
    with LogLines(pipe.writing, capacity=1000, pause_seconds=0.001) as log:
        for number in range(500):
            log.write(f"line {number:03}\n")  # 9 characters: 111 find room
        assert log.dropped == 389
        lines = read_in_background(pipe)
    *written, told = lines()
    assert written == [f"line {number:03}" for number in range(111)]
    event = json.loads(told)
    assert (event["event"], event["lines"], event["level"]) == ("log_lines_dropped", 389, "warning")
    assert log.dropped == 389


def test_there_is_room_again_once_somebody_reads(pipe):
    with LogLines(pipe.writing, capacity=20, pause_seconds=0.001) as log:
        reading = os.fdopen(os.dup(pipe.reading), encoding="utf-8")
        with reading:
            for number in range(100):
                while not log.write(f"line {number}\n"):
                    pass
                seen = reading.readline()
                while seen.startswith("{"):
                    seen = reading.readline()
                assert seen == f"line {number}\n"


def test_a_reader_who_never_comes_does_not_hold_the_end_of_the_process(pipe):
    pipe.fill()
    with LogLines(pipe.writing, farewell_seconds=0.01, pause_seconds=0.001) as log:
        log.write("read too late\n")
    assert read_in_background(pipe)() == ["read too late"]


def test_a_reader_who_has_gone_is_no_error_and_his_lines_are_counted(pipe):
    os.close(pipe.reading)
    pipe.reading = -1
    with LogLines(pipe.writing, pause_seconds=0.001) as log:
        log.write("one\n")
        log.write("two\n")
    assert log.dropped == 2


def test_what_comes_after_the_end_is_written_at_once(pipe):
    with LogLines(pipe.writing, pause_seconds=0.001) as log:
        log.write("before\n")
    log.write("after\n")
    assert pipe.read_to_end() == ["before", "after"]


def test_characters_that_are_none_are_escaped(pipe):
    with LogLines(pipe.writing) as log:
        log.write("\udcff é\n")
    assert pipe.read_to_end() == ["\\udcff é"]


def test_a_stream_that_somebody_made_one_that_does_not_wait_loses_nothing(pipe):
    pipe.fill()
    os.set_blocking(pipe.writing, False)
    with LogLines(pipe.writing) as log:
        for number in range(20):
            log.write(f"{number} {'.' * 8192}\n")
        lines = read_in_background(pipe)
    assert [line.split()[0] for line in lines()] == [str(number) for number in range(20)]
    assert log.dropped == 0


def test_a_line_is_in_one_write_that_no_other_process_can_cut():
    lines = [f"{number} {'x' * (number * 37 % 900)}\n" for number in range(200)] + ["é" * 9_000 + "\n", "last\n"]
    written = list(pieces(lines))
    assert b"".join(written) == "".join(lines).encode()
    assert all(piece.endswith(b"\n") for piece in written)
    assert sorted(len(piece) for piece in written)[-2] <= select.PIPE_BUF
    assert len(written) < len(lines) / 5
