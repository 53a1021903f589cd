"""`extauthz serve`: the data plane."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from extauthz.cli.errors import told_plainly
from extauthz.data_plane.run import serve as run
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz serve --config extauthz.yaml
"""


def serve(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings of this process (YAML).")],
) -> None:
    """Answers Envoy's Authorization/Check until SIGTERM.

    Files that the settings name are relative to the settings file. Exit status 2: the settings, the catalog or a
    secret cannot be used.
    """
    with told_plainly():
        configure_logs()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(config))
