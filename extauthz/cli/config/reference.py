"""`extauthz config reference`: every key of the files, as a page."""

from typing import Annotated

import typer

from extauthz.catalog.document import CatalogDocument
from extauthz.cli.config.reference_page import reference_page
from extauthz.cli.config.schema import json_schema
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz config reference > docs/settings-reference.md

  extauthz config reference --catalog > docs/catalog-reference.md
"""

_MADE = "<!-- Made by `extauthz config reference{option}` from the classes that read the file; do not edit. -->"
_READING = """\
A part that is left out has the defaults of its keys; where no default stands, a key that is left out is none.
`[]` stands for each item of a list, `.*` for each name of your choice.
What must hold between values is told by `extauthz config validate`."""
_SETTINGS = f"""\
{_MADE.format(option="")}

Every key of the file of `extauthz serve --config`. [The settings](settings.md) is the guide to them.
{_READING}"""
_CATALOG = f"""\
{_MADE.format(option=" --catalog")}

Every key of the catalog's file. [The catalog](catalog.md) is the guide to them.
{_READING}"""


def reference(
    catalog: Annotated[bool, typer.Option("--catalog", help="Of the catalog file, not of the settings.")] = False,
) -> None:
    """Prints every key of the settings file, or of the catalog file, with type, bounds, default and meaning (Markdown).

    It is what this version of the program reads, whatever the pages at hand say.
    """
    typer.echo(catalog_reference() if catalog else settings_reference(), nl=False)


def settings_reference() -> str:
    """The page about the settings file."""
    return reference_page(json_schema(Settings), title="Reference of the settings", introduction=_SETTINGS)


def catalog_reference() -> str:
    """The page about the catalog file."""
    return reference_page(json_schema(CatalogDocument), title="Reference of the catalog", introduction=_CATALOG)
