"""What becomes of a new catalog: everything that it needs is made ready, then it is taken over as a whole."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog

from extauthz.authn.issuers import Issuers, Prepared
from extauthz.catalog.building import built, take_apart
from extauthz.catalog.catalog import Catalog
from extauthz.catalog.changes import Change, Kind
from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.garbage import without_full_collections
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.slices import Slices
from extauthz.document.mistakes import DocumentError, Mistake, UnreadyDocumentError
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.telemetry.health import Health

_log = structlog.get_logger(__name__)


class CatalogUpdates:
    """Takes over what a source delivers: `catalog.file_source.CatalogListener` and `catalog.follower.Replica`."""

    def __init__(self, catalog: Catalog, issuers: Issuers, health: Health, clock: Clock = time.time) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._health = health
        self._clock = clock
        self._held: Indexes | None = None
        self.revision: int | None = None
        """Of what is held; None: a file has none, or nothing is held."""
        self.changed_at: float | None = None
        """When what is held came or changed, in seconds since 1970; None: nothing is held."""
        self._one_at_a_time = asyncio.Lock()

    @property
    def held(self) -> Indexes | None:
        """The tables of now, to be looked at."""
        return self._held

    async def let_go(self) -> None:
        """Frees the catalog, when nobody asks it any more and the process goes on."""
        former, self._held = self._held, None
        if former is not None:
            await take_apart(former)

    async def accept(self, contents: CatalogContents) -> None:
        """Takes over the contents of a file.

        Raises:
            DocumentError: a key manager cannot be used here; the old catalog stays.
            UnreadyDocumentError: likewise, but only for now: a key manager that must be asked does not answer.
        """
        # Key managers that are new may take their time; the contents that came first are not to be the last ones.
        async with self._one_at_a_time:
            prepared = await self._prepared(contents.key_managers)
            with without_full_collections():
                await self._take_over(await built(contents.entities()), prepared)
        self._health.report("catalog_source", ok=True, detail="file")

    def keep(self, problem: DocumentError) -> None:
        """Says loudly that the last good catalog stays; without one the process is not ready."""
        kept = self._held is not None
        detail = "the new catalog cannot be used, the last good one stays" if kept else "no catalog yet"
        self._health.report("catalog", ok=kept, detail=detail)
        self._health.report("catalog_source", ok=False, detail="the file cannot be used")
        _log.error("catalog_refused", problem=str(problem), kept=kept)

    async def replace(self, indexes: Indexes) -> None:
        """See `Replica`."""
        await self._take_over(indexes, await self._prepared(indexes.key_managers.values()))

    async def apply(self, transactions: Sequence[Sequence[Change]]) -> None:
        """See `Replica`."""
        changes = [change for transaction in transactions for change in transaction]
        if any(change.identity.kind is Kind.KEY_MANAGER for change in changes):
            prepared = await self._prepared(self._key_managers_after(changes))
            # At once, so that no Check sees a key manager without its keys.
            self._catalog.apply(changes)
            await self._issuers.adopt(prepared)
        else:
            slices = Slices()
            for transaction in transactions:
                self._catalog.apply(transaction)
                if slices.over:
                    await slices.rest()
        self._report()
        _log.info("catalog_changed", transactions=len(transactions), changes=len(changes))

    def report(self, *, following: bool, detail: str, revision: int | None) -> None:
        """See `Replica`."""
        self.revision = revision
        self._health.report("catalog_source", ok=following, detail=detail)
        if self._held is None:
            self._health.report("catalog", ok=False, detail=detail)

    def _key_managers_after(self, changes: Iterable[Change]) -> Iterable[KeyManager]:
        found = dict(self._held.key_managers) if self._held else {}
        for change in changes:
            name = (change.identity.organization, change.identity.id)
            if isinstance(change.entity, KeyManager):
                found[name] = change.entity
            elif change.identity.kind is Kind.KEY_MANAGER:
                found.pop(name, None)
        return found.values()

    async def _prepared(self, key_managers: Iterable[KeyManager]) -> Prepared:
        try:
            return await self._issuers.prepare(key_managers)
        except ValueError as error:
            raise DocumentError("catalog", [Mistake(location=("key_managers",), message=str(error))]) from error
        except Unavailable as error:
            mistake = Mistake(location=("key_managers",), message=f"{error.component}: {error.detail}")
            raise UnreadyDocumentError("catalog", [mistake]) from error

    async def _take_over(self, indexes: Indexes, prepared: Prepared) -> None:
        former, self._held = self._held, indexes
        # Nothing is awaited between both: no Check sees a key manager without its keys.
        self._catalog.replace(indexes)
        await self._issuers.adopt(prepared)
        self._report()
        _log.info("catalog_loaded", apis=len(indexes.apis), key_managers=len(indexes.key_managers))
        if former is not None:
            await take_apart(former)

    def _report(self) -> None:
        self.changed_at = self._clock()
        self._health.report("catalog", ok=True, detail=f"{len(self._held.apis) if self._held else 0} APIs")
