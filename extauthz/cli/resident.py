"""`extauthz resident`: the built-in key manager."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from extauthz.cli.errors import EXIT_BAD_INPUT, told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.resident.client_secret import new_client_secret, secret_digest
from extauthz.telemetry.logs import configure_logs

EXAMPLES = """Examples:

  extauthz resident --config resident.yaml

  extauthz resident secret
"""
_NEW_EXAMPLES = """Examples:

  extauthz resident secret
"""

app = typer.Typer(
    help="The built-in key manager: an OAuth 2.0 authorization server.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold tokens and secrets
)


@app.callback(invoke_without_command=True, epilog=EXAMPLES)
def resident(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings of this process (YAML).")] = None,
) -> None:
    """Runs the key manager until SIGTERM or SIGINT.

    Exit status 2: the settings or a secret cannot be used.
    """
    if context.invoked_subcommand:
        return
    if config is None:
        raise typer.BadParameter("is needed", param_hint="--config")
    _serve(config)


@app.command(epilog=_NEW_EXAMPLES)
def secret(output: OutputOption = Output.TEXT) -> None:
    """Prints a new client secret, for the client, and its SHA-256, for the configuration."""
    client_secret = new_client_secret()
    made = {"client_secret": client_secret, "sha256": secret_digest(client_secret).hex()}
    if output is Output.JSON:
        print_json(made)
    else:
        typer.echo("\n".join(f"{name}: {value}" for name, value in made.items()))


def _serve(config: Path) -> None:
    try:
        from extauthz.resident import configuration, server  # noqa: PLC0415 - optional dependencies
    except ModuleNotFoundError as exc:
        typer.echo(f"{exc.name} is not installed; install extauthz[resident]", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from exc
    with told_plainly():
        loaded = configuration.load_configuration(config, os.environ)
        configure_logs()
        server.run(loaded, time.time)
