"""Where in the settings a value stands that turns out to be of no use."""

from collections.abc import Iterator
from contextlib import contextmanager

from extauthz.document.mistakes import DocumentError, Mistake


@contextmanager
def told_at(*location: str | int) -> Iterator[None]:
    """A value that turns out to be of no use is a mistake in the settings, at this place."""
    try:
        yield
    except ValueError as error:
        raise DocumentError("settings", [Mistake(location=location, message=str(error))]) from error
