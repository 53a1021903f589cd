"""Tokens and other secrets of a check: named by where they are, never written down."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from extauthz.document.mistakes import Mistake
from extauthz.document.strict import Strict
from extauthz.settings.values import Text

MAX_BYTES = 1024 * 1024
"""Sixty times what Envoy takes as headers by default, so that refusals of long tokens can be tried as well."""
_ENV, _FILE, _STANDARD_INPUT = "env:", "file:", "-"


class Reference(Strict):
    """Where a value is: in a variable of the environment, or in a file."""

    env: Text | None = None
    file: Text | None = None
    """Relative to the file that names it; one line end at its end is not part of the value."""

    def contradictions(self) -> Iterator[Mistake]:
        """Exactly one place."""
        if (self.env is None) == (self.file is None):
            yield Mistake(location=(), message="give exactly one of `env` and `file`")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `env:NAME` or `file:PATH`; None: it is neither."""
        if text.startswith(_ENV) and len(text) > len(_ENV):
            return cls(env=text.removeprefix(_ENV))
        if text.startswith(_FILE) and len(text) > len(_FILE):
            return cls(file=text.removeprefix(_FILE))
        return None

    def value(self, folder: Path) -> str:
        """What is there; a relative file is one of `folder`.

        Raises:
            ValueError: nothing is there, or no text.
        """
        if self.env is not None:
            return _present(os.environ.get(self.env, ""), f"the environment variable {self.env} is not set or empty")
        path = folder / (self.file or "")
        return _present(_line(_content(path), str(path)), f"{path} is empty")


def token_of(text: str, folder: Path) -> str:
    """The token that `--token` names: `env:NAME`, `file:PATH`, or `-` for standard input.

    Raises:
        ValueError: it is none of these, or nothing is there. The text is not repeated: it may be a token.
    """
    if text == _STANDARD_INPUT:
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
        return _present(_line(content, "standard input"), "standard input is empty")
    if (reference := Reference.parse(text)) is None:
        raise ValueError(
            "--token must be env:NAME, file:PATH or - (standard input): every user of a machine can see arguments"
        )
    return reference.value(folder)


def pem_of(path: Path) -> str:
    """The text of a certificate's file.

    Raises:
        ValueError: it cannot be read, or is no PEM.
    """
    content = _line(_content(path), str(path))
    if "-----BEGIN CERTIFICATE-----" not in content:
        raise ValueError(f"{path} has no PEM certificate")
    return content + "\n"


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _line(content: bytes, where: str) -> str:
    if len(content) > MAX_BYTES:
        raise ValueError(f"{where} is larger than {MAX_BYTES} bytes")
    try:
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8 text") from error


def _present(value: str, otherwise: str) -> str:
    if not value:
        raise ValueError(otherwise)
    return value
