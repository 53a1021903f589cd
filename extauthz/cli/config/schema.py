"""`extauthz config schema`: what editors need to check and complete the files while they are written."""

from typing import Annotated, Any

import typer
from pydantic.json_schema import GenerateJsonSchema

from extauthz.catalog.document import CatalogDocument
from extauthz.cli.output import print_json
from extauthz.document.strict import Strict
from extauthz.settings.process import Settings

EXAMPLES = """Examples:

  extauthz config schema > extauthz.schema.json

  extauthz config schema --catalog > catalog.schema.json
"""


def schema(
    catalog: Annotated[bool, typer.Option("--catalog", help="Of the catalog file, not of the settings.")] = False,
) -> None:
    """Prints the JSON Schema (draft 2020-12) of the settings file, or of the catalog file.

    What holds between values, such as exactly one of `env` and `file`, is beyond it: `config validate` checks all.
    """
    print_json(json_schema(CatalogDocument if catalog else Settings))


def json_schema(document: type[Strict]) -> dict[str, Any]:
    """The JSON Schema of a file, from its classes and their documentation."""
    # Without a default schema dialect, editors take an older one.
    return {"$schema": GenerateJsonSchema.schema_dialect} | document.model_json_schema()
