"""The image without an engine for images: its build steps are carried out in folders, and the outcome is started."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pip
import pytest
from deploy.dockerfile import Machine, stages, the, version
from support.authorization_server import AuthorizationServer
from support.check_client import OVERWRITES, allowed, check_request, connected
from support.service import write_files

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

pytestmark = [
    pytest.mark.image,
    pytest.mark.external_service,
    pytest.mark.timeout(600),  # the index may be far away
]

BUILD, FINAL = stages()


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Built as the Dockerfile says, with an interpreter of its own in the place of the base image's."""
    machine = Machine(root=tmp_path_factory.mktemp("image"))
    python, tools = machine.root / "python", machine.root / "tools"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python], check=True)
    tools.mkdir()
    (tools / "pip").symlink_to(Path(pip.__file__).parent)  # ours, because to unpack another one takes seconds
    machine.build(BUILD, {"PATH": f"{python}/bin:/usr/bin:/bin", "PYTHONPATH": str(tools)})
    return machine


def command(machine, instruction, *arguments):
    return [machine.moved(word) for word in the(FINAL, instruction).words()] + list(arguments)


@OVERWRITES
async def test_what_is_built_serves_and_writes_nothing(machine, tmp_path):
    port, operations = free_port(), free_port()
    folder = machine.root / "etc/extauthz"
    folder.parent.mkdir()
    async with AuthorizationServer() as issuer, Processes(tmp_path) as processes:
        settings = {"listen": f"127.0.0.1:{port}", "operations": {"listen": f"127.0.0.1:{operations}"}}
        # Without OpenTelemetry it would not start.
        write_files(folder, issuer, settings | {"traces": {"endpoint": "http://127.0.0.1:9", "sample": 0}}, {})
        before = machine.state()
        process_id = await processes.start(
            Program(
                name="extauthz",
                argv=tuple(command(machine, "ENTRYPOINT") + command(machine, "CMD")),
                ready=answers_ok(f"http://127.0.0.1:{operations}/readyz"),
                environment={"PYTHONDONTWRITEBYTECODE": "1", "TEST_CACHE_SECRET": "x" * 32, "TEST_GATEWAY_SECRET": "x"},
            )
        )
        async with connected(port) as client:
            allowed(await client.check(check_request(path="/petstore/v1/about")))
        assert await health_check(machine, operations) == 0
        assert process_id
    assert await health_check(machine, operations) != 0
    assert machine.state() == before


async def health_check(machine, operations):
    """The exit status of what engines ask."""
    words = the(FINAL, "HEALTHCHECK").value.partition(" CMD ")[2]
    asked = [machine.moved(word.strip('[]", ')).replace("9192", str(operations)) for word in words.split(",")]
    process = await asyncio.create_subprocess_exec(*asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return await process.wait()


def test_what_is_built_says_its_version(machine):
    told = subprocess.run(command(machine, "ENTRYPOINT", "--version"), capture_output=True, text=True, check=True)
    assert version() in told.stdout


def test_there_is_no_installer_in_the_image(machine):
    python = machine.root / "opt/extauthz/bin/python"
    found = subprocess.run([python, "-I", "-c", "import pip"], stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 1
    assert "No module named 'pip'" in found.stderr
