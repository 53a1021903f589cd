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
_PROGRAM = "extauthz"


def bad_input(message: str) -> typer.Exit:
    """To be raised: says what is wrong with an option or a file, and ends with `EXIT_BAD_INPUT`."""
    typer.echo(f"{_PROGRAM}: {message}", err=True)
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
    except BrokenPipeError:
        raise  # whoever read our output has enough: the program ends without a word
    except OSError as error:
        typer.echo(f"{_PROGRAM}: {plain(error)}", err=True)
        raise typer.Exit(EXIT_FAILURE) from error
    except Unavailable as error:
        component = "" if error.component == _PROGRAM else f"{error.component}: "
        typer.echo(f"{_PROGRAM}: {component}{error.detail}", err=True)
        raise typer.Exit(unavailable) from error


@contextmanager
def files_of_options() -> Iterator[None]:
    """A file that an option names, and that cannot be read or written, is bad input."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise bad_input(plain(error)) from error


def plain(error: OSError) -> str:
    """What the system says, without its number."""
    said = error.strerror or str(error)
    return f"{error.filename}: {said}" if error.filename is not None else said
