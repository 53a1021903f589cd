"""The catalog from a YAML file, followed as the file changes."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.document.mistakes import DocumentError, UnreadyDocumentError
from extauthz.document.strict import load

_Signature = tuple[int, int, int]


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


async def _aside(read: Callable[[], CatalogContents]) -> CatalogContents:
    """Reads in a thread of its own: a long file holds up no Check, and one that never ends does not hold up the end."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[CatalogContents] = loop.create_future()

    def settle(contents: CatalogContents | None, problem: BaseException | None) -> None:
        if outcome.done():
            return
        if contents is not None:
            outcome.set_result(contents)
        else:
            outcome.set_exception(problem or DocumentError("catalog", []))

    def work() -> None:
        contents: CatalogContents | None = None
        problem: BaseException | None = None
        try:
            contents = read()
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the outcome is awaited
            problem = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, contents, problem)

    # A daemon: the interpreter waits for every other thread, even for one that reads a hung network mount.
    threading.Thread(target=work, name="catalog", daemon=True).start()
    return await outcome


class FileSource:
    """Reads a catalog file again whenever it changes."""

    def __init__(self, path: Path, listener: CatalogListener) -> None:
        self._path = path
        self._listener = listener
        self._seen: _Signature | Literal["missing", "never"] = "never"

    async def load(self) -> None:
        """Reads the file.

        Raises:
            DocumentError: it cannot be used.
        """
        self._seen = self._signature()
        await self._listener.accept(await _aside(lambda: load_contents(self._path)))

    async def refresh(self) -> None:
        """Reads the file if it has changed.

        One that cannot be used is reported once, and again when it changes; one that only cannot be used now is tried
        again each time.
        """
        if self._signature() == self._seen:
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

    def _signature(self) -> _Signature | Literal["missing"]:
        try:
            # Follows links: a mounted ConfigMap changes by pointing a link elsewhere.
            found = self._path.stat()
        except OSError:
            return "missing"
        return found.st_mtime_ns, found.st_size, found.st_ino
