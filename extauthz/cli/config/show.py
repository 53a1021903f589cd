"""`extauthz config show`: the settings as they take effect."""

from pathlib import Path
from typing import Annotated

import typer

from extauthz.cli.errors import told_plainly
from extauthz.cli.output import Output, OutputOption, print_json
from extauthz.data_plane.effective_settings import effective_settings
from extauthz.document.strict import load
from extauthz.document.text import written
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz config show --config extauthz.yaml

  extauthz config show --config extauthz.yaml --output json
"""


def show(
    config: Annotated[Path, typer.Option("--config", "-c", help="Settings (YAML).")],
    output: OutputOption = Output.TEXT,
) -> None:
    """Prints the settings with every default, as YAML: what GET /config tells of a running replica.

    Secrets are named, never read. Of an extension's options only the names are shown: nobody but the extension knows
    whether a value is a secret. Exit status 2: the settings cannot be used.
    """
    with told_plainly():
        effective = effective_settings(load(config, Settings))
    if output is Output.JSON:
        print_json(effective)
    else:
        typer.echo(written(effective), nl=False)
