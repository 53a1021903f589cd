"""The command line, put together."""

import typer

from extauthz.cli import api_key, catalog, health, resident, revoke, serve
from extauthz.cli.check import command as check
from extauthz.cli.config import app as config
from extauthz.cli.demo import command as demo
from extauthz.cli.envoy_config import command as envoy_config
from extauthz.cli.version import VersionOption

application = typer.Typer(
    name="extauthz",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold tokens and secrets
)


@application.callback()
def extauthz(version: VersionOption = False) -> None:
    """OAuth2 key management behind Envoy."""


application.command(epilog=serve.EXAMPLES)(serve.serve)
application.command(epilog=check.EXAMPLES)(check.check)
application.command(epilog=health.EXAMPLES)(health.health)
application.command(epilog=envoy_config.EXAMPLES)(envoy_config.envoy_config)
application.add_typer(config.app, name="config")
application.add_typer(catalog.app, name="catalog")
application.command(epilog=revoke.EXAMPLES)(revoke.revoke)
application.add_typer(api_key.app, name="api-key")
application.add_typer(resident.app, name="resident")
application.command(epilog=demo.EXAMPLES)(demo.demo)
