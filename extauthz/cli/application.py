"""The command line, put together."""

import typer

from extauthz.cli import api_key, catalog, config, resident
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
application.add_typer(catalog.app, name="catalog")
application.add_typer(resident.app, name="resident")
application.add_typer(api_key.app, name="api-key")
application.add_typer(config.app, name="config")
application.command()(demo)
