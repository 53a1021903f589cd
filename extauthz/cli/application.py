"""The command line, put together."""

import typer

from extauthz.cli.on_demand import CommandsOnDemand
from extauthz.cli.version import VersionOption

application = typer.Typer(
    name="extauthz",
    cls=CommandsOnDemand,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold tokens and secrets
)


@application.callback()
def extauthz(version: VersionOption = False) -> None:
    """OAuth2 key management behind Envoy."""
