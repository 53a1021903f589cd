"""`extauthz serve`: the data plane."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from extauthz.cli.errors import told_plainly
from extauthz.cli.worker import command, operations_socket, settings_at_start
from extauthz.data_plane.run import serve as run
from extauthz.data_plane.sharing import ensure_shareable, shared_addresses
from extauthz.document.strict import loads
from extauthz.document.text import read
from extauthz.model.host_port import host_and_port
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs
from extauthz.workers.run import supervise
from extauthz.workers.worker import Worker

EXAMPLES = """Examples:

  extauthz serve --config extauthz.yaml

  extauthz serve --config extauthz.yaml --workers 4
"""


def serve(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings of this process (YAML).")],
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that share the ports, for one big machine.")
    ] = 1,
) -> None:
    """Answers Envoy's Authorization/Check until SIGTERM.

    Files that the settings name are relative to the settings file. Exit status 2: the settings, the catalog or a
    secret cannot be used.
    """
    with told_plainly():
        configure_logs()
        if workers > 1:
            raise typer.Exit(_supervised(config, workers))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(config))


def _supervised(config: Path, count: int) -> int:
    """Exit status when all workers have ended."""
    text = read(config)
    settings = loads(text, Settings, str(config))
    ensure_shareable(settings)
    # Nobody else can enter this folder, so whoever reaches a worker there came by way of us.
    with tempfile.TemporaryDirectory(prefix="extauthz-", dir=_runtime_directory()) as name:
        folder = Path(name)
        workers = [
            Worker(
                number,
                command=command(config, folder, number),
                operations=operations_socket(folder, number),
                files={settings_at_start(folder, number): text},
            )
            for number in range(1, count + 1)
        ]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            operations = host_and_port(settings.operations.listen)
            return runner.run(supervise(workers, operations=operations, shared=shared_addresses(settings)))


def _runtime_directory() -> str | None:
    """Where nobody clears up behind us (systemd.exec(5), of `RuntimeDirectory=`); None: there is none."""
    return os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or None
