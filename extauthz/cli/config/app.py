"""The commands about files, put together."""

import typer

from extauthz.cli.config import convert, reference, schema, show, validate

app = typer.Typer(help="Settings and catalogs as files.", no_args_is_help=True)
app.command(epilog=validate.EXAMPLES)(validate.validate)
app.command(epilog=schema.EXAMPLES)(schema.schema)
app.command(epilog=reference.EXAMPLES)(reference.reference)
app.command(epilog=show.EXAMPLES)(show.show)
app.command(epilog=convert.EXAMPLES)(convert.convert)
