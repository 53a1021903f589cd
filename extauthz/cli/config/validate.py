"""`extauthz config validate`: whether a replica could start with these files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from extauthz.catalog.file_source import load_contents
from extauthz.cli.errors import bad_input, told_plainly
from extauthz.data_plane.secrets import read_secrets
from extauthz.document.strict import load
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz config validate --config extauthz.yaml

  extauthz config validate --config extauthz.yaml --no-catalog --secrets

  extauthz config validate --catalog catalog.yaml
"""


def validate(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings (YAML).")] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", help="A catalog (YAML), in the place of the one that the settings name.")
    ] = None,
    no_catalog: Annotated[
        bool, typer.Option("--no-catalog", help="The settings alone, where their catalog is not at hand.")
    ] = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="Also whether every secret is there.")] = False,
) -> None:
    """Checks a settings file and its catalog; every mistake is told at once, with its place.

    Nobody is asked: neither Redis nor a key manager. Exit status 2: a file cannot be used.
    """
    if config is None and (catalog is None or secrets):
        raise bad_input("give --config, or --catalog alone")
    if catalog is not None and no_catalog:
        raise bad_input("--catalog and --no-catalog contradict each other")
    with told_plainly():
        if config is not None:
            settings = load(config, Settings)
            typer.echo(f"{config}: right")
            if secrets:
                read_secrets(settings.secrets, config.parent, os.environ)
                typer.echo(f"{config}: all secrets are there")
            if catalog is None and not no_catalog and settings.catalog.file is not None:
                catalog = config.parent / settings.catalog.file
        if catalog is not None:
            load_contents(catalog)
            typer.echo(f"{catalog}: right")
