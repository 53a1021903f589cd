"""How commands write what they found: for people, or for programs."""

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

_WIDTH = 120
"""Of what is written into a file or a pipe, which has no width of its own."""


class Output(StrEnum):
    """Who reads it."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", help="Text for people, or JSON for programs.")]


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def console() -> Console:
    """For tables on standard output; what is written is text, never markup."""
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)
