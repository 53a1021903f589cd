"""One of several processes of `extauthz serve --workers`; nobody else starts it."""

import asyncio
import socket
import sys
from pathlib import Path

import typer
import uvloop

from extauthz.cli.errors import told_plainly
from extauthz.data_plane.run import serve
from extauthz.data_plane.sharing import Sharing
from extauthz.document.strict import load
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs


def command(config: Path, folder: Path, number: int) -> tuple[str, ...]:
    """How it is started; `folder` has what the workers share with their supervisor."""
    # -P: the folder that somebody is in has no modules of ours.
    return (sys.executable, "-P", "-m", "extauthz.cli.worker", str(config), str(folder), str(number))


def operations_socket(folder: Path, number: int) -> Path:
    """Where it answers operators."""
    return folder / f"{number}.sock"


def settings_at_start(folder: Path, number: int) -> Path:
    """For one worker, the settings as they were when the first of all was started."""
    return folder / f"{number}.yaml"


def worker(config: Path, folder: Path, number: int) -> None:
    """Serves until its standard input, which is a socket, ends."""
    with told_plainly(), socket.socket(fileno=sys.stdin.fileno()) as supervisor:
        configure_logs(worker=number)
        sharing = Sharing(
            number=number,
            operations=operations_socket(folder, number),
            at_start=load(settings_at_start(folder, number), Settings),
            supervisor=supervisor,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(config, sharing))


if __name__ == "__main__":
    application = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)  # they hold secrets
    application.command()(worker)
    application()
