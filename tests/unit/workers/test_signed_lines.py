"""Each line of one of several processes says which it is, whoever wrote it."""

import io
import json
import logging
import os

import pytest
import structlog

from extauthz.telemetry.log_lines import LogLines
from extauthz.telemetry.logs import configure_logs


@pytest.fixture
def out():
    """A stream for logs; what was set for them is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(("worker", "expected"), [(3, [3, 3]), (None, [None, None])])
def test_lines_of_ours_and_of_libraries_are_signed(out, worker, expected):
    configure_logs(out, worker=worker)
    structlog.get_logger("ours").info("of_ours")
    logging.getLogger("library").warning("of a library")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["of_ours", "of a library"]
    assert [line.get("worker") for line in lines] == expected


@pytest.mark.parametrize("worker", [3, None])
def test_the_line_that_tells_of_dropped_ones_is_signed(worker):
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        with os.fdopen(writing), LogLines(writing, capacity=1, worker=worker) as log:
            log.write("too long\n")
            log.write("\n")
        (told,) = [json.loads(line) for line in reader.read().splitlines() if line]
    assert (told["event"], told.get("worker")) == ("log_lines_dropped", worker)
