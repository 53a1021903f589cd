"""`extauthz --version`."""

import platform
from importlib.metadata import version
from typing import Annotated

import typer


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"extauthz {version('extauthz')} (Python {platform.python_version()}, grpcio {version('grpcio')})")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
]
