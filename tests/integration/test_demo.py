"""The demo: the whole system through a real Envoy, and nothing of it left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.envoy import ROOT, envoy_binary

pytestmark = [pytest.mark.external_service, pytest.mark.through_envoy]


def command(*options):
    return [sys.executable, "-m", "extauthz", "demo", "--envoy", str(envoy_binary()), *options]


def children_of(process_id):
    """Ids of the processes that a process started, which have not been reaped."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process_id:
            found.append(int(stat.parent.name))
    return found


def test_every_row_of_the_table_comes_out_as_expected(tmp_path):
    ran = subprocess.run(
        command("--once"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "✗" not in ran.stdout
    assert ran.stdout.count("✓") == 20
    assert ran.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopping_it_leaves_no_process_and_no_file_behind(tmp_path, number):
    process = await asyncio.create_subprocess_exec(
        *command(), cwd=ROOT, stdout=asyncio.subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert process.stdout is not None
    printed = ""
    while "Ctrl-C" not in printed:
        line = await process.stdout.readline()
        assert line, printed
        printed += line.decode()
    children = children_of(process.pid)
    assert len(children) == 6
    assert "curl -i http://127.0.0.1:" in printed
    process.send_signal(number)
    await process.stdout.read()
    assert await process.wait() == 0
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []  # noqa: ASYNC240 - a look
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_comes_out_wrong_is_a_failure(tmp_path):
    """An Envoy that never asks: its filter is off."""
    bootstrap = (ROOT / "deploy/envoy/envoy.yaml").read_text()
    off = bootstrap.replace(
        "stat_prefix: extauthz",
        "stat_prefix: extauthz\n                      filter_enabled: {default_value: {numerator: 0}}",
    )
    assert off != bootstrap
    (tmp_path / "envoy.yaml").write_text(off)
    ran = subprocess.run(
        command("--once", "--envoy-config", str(tmp_path / "envoy.yaml")),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "no token: status 200 instead of 401" in ran.stdout
    assert "the upstream saw the client's credential" in ran.stdout


def test_without_envoy_it_says_what_to_do(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "extauthz", "demo", "--envoy", str(tmp_path / "none")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "make demo" in ran.stderr
