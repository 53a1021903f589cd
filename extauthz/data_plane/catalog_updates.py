"""What becomes of a new catalog: everything that it needs is made ready, then it is taken over as a whole."""

import asyncio

import structlog

from extauthz.authn.issuers import Issuers
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.contents import CatalogContents
from extauthz.document.mistakes import DocumentError, Mistake, UnreadyDocumentError
from extauthz.model.errors import Unavailable
from extauthz.telemetry.health import Health

_log = structlog.get_logger(__name__)


class CatalogUpdates:
    """Takes over what a catalog source delivers (see `catalog.file_source.CatalogListener`)."""

    def __init__(self, catalog: Catalog, issuers: Issuers, health: Health) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._health = health
        self._loaded = False
        self._one_at_a_time = asyncio.Lock()

    async def accept(self, contents: CatalogContents) -> None:
        """Takes over new contents.

        Raises:
            DocumentError: a key manager cannot be used here; the old catalog stays.
            UnreadyDocumentError: likewise, but only for now: a key manager that must be asked does not answer.
        """
        # Key managers that are new may take their time; the contents that came first are not to be the last ones.
        async with self._one_at_a_time:
            await self._take_over(contents)

    def keep(self, problem: DocumentError) -> None:
        """Says loudly that the last good catalog stays; without one the process is not ready."""
        detail = "the new catalog cannot be used, the last good one stays" if self._loaded else "no catalog yet"
        self._health.report("catalog", ok=self._loaded, detail=detail)
        _log.error("catalog_refused", problem=str(problem), kept=self._loaded)

    async def _take_over(self, contents: CatalogContents) -> None:
        try:
            prepared = await self._issuers.prepare(contents.key_managers)
        except ValueError as error:
            raise DocumentError("catalog", [Mistake(location=("key_managers",), message=str(error))]) from error
        except Unavailable as error:
            mistake = Mistake(location=("key_managers",), message=f"{error.component}: {error.detail}")
            raise UnreadyDocumentError("catalog", [mistake]) from error
        # Nothing is awaited between both: no Check sees a key manager without its keys.
        self._catalog.replace(contents)
        await self._issuers.adopt(prepared)
        self._loaded = True
        self._health.report("catalog", ok=True, detail=f"{len(contents.apis)} APIs")
        _log.info("catalog_loaded", apis=len(contents.apis), key_managers=len(contents.key_managers))
