"""How the command line ends when something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from extauthz.document.mistakes import DocumentError
from extauthz.model.errors import Unavailable

EXIT_FAILURE = 1
"""Something went wrong while running."""
EXIT_BAD_INPUT = 2
"""A file or an option cannot be used; the message says what and where."""
EXIT_NO_ANSWER = 3
"""Of `check` and `health`: nobody answered, so nothing can be said."""


def bad_input(message: str) -> typer.Exit:
    """To be raised: says what is wrong with an option or a file, and ends with `EXIT_BAD_INPUT`."""
    typer.echo(f"extauthz: {message}", err=True)
    return typer.Exit(EXIT_BAD_INPUT)


@contextmanager
def told_plainly(*, unavailable: int = EXIT_FAILURE) -> Iterator[Any]:
    """Bad input and what cannot be had (an address, a database) end with a message and a status.

    `unavailable` is the status for what does not answer.
    """
    try:
        yield
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except OSError as error:
        typer.echo(f"extauthz: {error}", err=True)
        raise typer.Exit(EXIT_FAILURE) from error
    except Unavailable as error:
        typer.echo(f"extauthz: {error.component}: {error.detail}", err=True)
        raise typer.Exit(unavailable) from error
