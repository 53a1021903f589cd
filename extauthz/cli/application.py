"""The command line, put together."""

import typer

from extauthz.cli import resident
from extauthz.cli.demo.command import demo
from extauthz.cli.revoke import revoke
from extauthz.cli.serve import serve

application = typer.Typer(
    name="extauthz",
    help="OAuth2 key management behind Envoy.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold tokens and secrets
)
application.command()(serve)
application.command()(revoke)
application.add_typer(resident.app, name="resident")
application.command()(demo)
