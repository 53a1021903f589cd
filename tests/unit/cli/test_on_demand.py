"""Commands are imported when they are run; what gRPC would write by itself is not written by those that ask."""

import asyncio
import os
import subprocess
import sys

import pytest
import yaml
from support.certificate_authority import CertificateAuthority


@pytest.mark.parametrize("given", [None, "DEBUG"])
async def test_a_connection_that_fails_is_told_once_and_by_us(tmp_path, given):
    """A handshake with somebody who speaks no TLS: gRPC would write a line or more of its own."""

    async def plain(_reader, writer):
        writer.write(b"no TLS here\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    command = ("health", "--address", address, "--ca", str(CertificateAuthority(tmp_path).ca_file))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    environment |= {"GRPC_VERBOSITY": given} if given else {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extauthz", *command), stderr=asyncio.subprocess.PIPE, env=environment
    )
    _, err = await process.communicate()
    server.close()
    assert process.returncode == 3
    lines = err.decode().splitlines()
    assert lines[-1].startswith(f"extauthz: {address} gives no answer (UNAVAILABLE)")
    assert (len(lines) > 1) is (given is not None)  # whoever asks for them gets them


def test_a_process_that_is_started_by_one_is_not_told_to_be_silent():
    run = "import extauthz.cli.on_demand as d, os; d._Commands()['health']; print(os.environ.get('GRPC_VERBOSITY'))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    ended = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True, env=environment)
    assert ended.stdout == "None\n"


@pytest.mark.parametrize("command", [("config", "validate"), ("serve",)], ids=" ".join)
def test_a_name_that_no_file_has_is_bad_input(tmp_path, command):
    config = tmp_path / "extauthz.yaml"
    config.write_text(yaml.safe_dump({"catalog": {"file": "c.yaml"}, "tls": {"certificate": "a\0b", "key": "k"}}))
    ended = subprocess.run(
        [sys.executable, "-m", "extauthz", *command, "--config", str(config)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 2
    assert "has a NUL" in ended.stderr
    assert "Traceback" not in ended.stderr
