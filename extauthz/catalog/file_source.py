"""The catalog from a YAML file, followed as the file changes."""

import asyncio
from pathlib import Path
from typing import Literal, Protocol

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.document.aside import aside
from extauthz.document.file_signature import FileSignature, file_signature
from extauthz.document.mistakes import DocumentError, UnreadyDocumentError
from extauthz.document.strict import load


class CatalogListener(Protocol):
    """What becomes of a file that was read."""

    async def accept(self, contents: CatalogContents) -> None:
        """Takes over new contents.

        Raises:
            DocumentError: they cannot be used here; the old ones stay.
        """
        ...

    def keep(self, problem: DocumentError) -> None:
        """The file cannot be used: the last good catalog stays."""
        ...


def load_contents(path: Path) -> CatalogContents:
    """The catalog in a file.

    Raises:
        DocumentError: with every mistake that was found.
    """
    return contents_of(load(path, CatalogDocument), path.parent)


class FileSource:
    """Reads a catalog file again whenever it changes."""

    def __init__(self, path: Path, listener: CatalogListener) -> None:
        self._path = path
        self._listener = listener
        self._seen: FileSignature | Literal["never"] = "never"

    async def load(self) -> None:
        """Reads the file.

        Raises:
            DocumentError: it cannot be used.
        """
        self._seen = file_signature(self._path)
        await self._listener.accept(await aside(lambda: load_contents(self._path)))

    async def refresh(self) -> None:
        """Reads the file if it has changed.

        One that cannot be used is reported once, and again when it changes; one that only cannot be used now is tried
        again each time.
        """
        if file_signature(self._path) == self._seen:
            return
        try:
            await self.load()
        except DocumentError as problem:
            if isinstance(problem, UnreadyDocumentError):
                self._seen = "never"
            self._listener.keep(problem)

    async def follow(self, interval_seconds: float) -> None:
        """Looks at the file every `interval_seconds` until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.refresh()
