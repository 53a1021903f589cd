"""How a command ends whose terminal, pipe or disk does not do what it should: in a line, without a traceback."""

import asyncio
import os
import signal
import sys

import pytest
import yaml
from support.catalogs import catalog_document, text_of
from typer.testing import CliRunner

from extauthz.cli.application import application

PROGRAM = (sys.executable, "-m", "extauthz")


async def started(*arguments, stdout=asyncio.subprocess.PIPE, **environment):
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "extauthz.yaml"
    settings = {"catalog": {"file": "catalog.yaml"}, "api_keys": {"secret": ["s"]}, "secrets": {"s": {"file": "s"}}}
    path.write_text(yaml.safe_dump(settings))
    (tmp_path / "catalog.yaml").write_text(text_of(catalog_document()))
    (tmp_path / "s").write_text("a secret of at least 32 bytes, for tests")
    return path


@pytest.mark.parametrize("command", [("config", "schema"), ("config", "reference"), ("--help",)], ids=" ".join)
async def test_whoever_reads_may_have_enough(command):
    """As `| head -1` has, here before the first line."""
    readable, writable = os.pipe()
    os.close(readable)
    process = await started(*command, stdout=writable)
    os.close(writable)
    _, err = await process.communicate()
    assert (process.returncode, err) == (1, b"")


async def test_a_full_disk_is_told_in_a_line():
    full = os.open("/dev/full", os.O_WRONLY)
    process = await started("config", "schema", stdout=full)
    os.close(full)
    _, err = await process.communicate()
    assert (process.returncode, err) == (1, b"extauthz: No space left on device\n")


@pytest.mark.parametrize("option", ["--address", "--operations"])
async def test_a_command_that_is_interrupted_says_nothing(option):
    """It waits for somebody who does not answer."""
    asked = asyncio.Event()

    async def silent(reader, writer):
        asked.set()
        await reader.read()  # until it goes away
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    process = await started("health", option, address, "--timeout", 600)
    async with asyncio.timeout(60):
        await asked.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
    server.close()


async def test_signs_that_the_terminal_has_not_are_written_in_ascii(config):
    url = "https://host/petstore/v1/pets"
    process = await started("check", "--config", config, "--url", url, "--explain", PYTHONIOENCODING="ascii")
    out, err = await process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert b"\\u2713" in out


def test_a_file_whose_name_is_no_text_can_be_named(config):
    odd = config.with_name(os.fsdecode(b"b\xff.yaml"))
    odd.write_text(config.read_text())
    result = CliRunner().invoke(application, ["config", "validate", "--config", str(odd)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_what_comes_next(shell):
    """The script of `--show-completion` asks the program like this."""
    if shell == "bash":
        words = {"COMP_WORDS": "extauthz config va", "COMP_CWORD": "2"}
    else:
        words = {"_TYPER_COMPLETE_ARGS": "extauthz config va", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked = words | {"_EXTAUTHZ_COMPLETE": f"complete_{shell}"}
    result = CliRunner().invoke(application, [], prog_name="extauthz", env=asked)
    assert "validate" in result.stdout
    assert "convert" not in result.stdout


async def test_the_script_for_the_shell_that_asks_is_printed():
    # With a command after it, bash stays its parent.
    shown = f"{sys.executable} -m extauthz --show-completion; exit $?"
    process = await asyncio.create_subprocess_exec("bash", "-c", shown, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"_COMPLETE=complete_bash" in out
