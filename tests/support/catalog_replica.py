"""A replica's catalog without the rest of it, and what it was told, for a test to wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from extauthz.catalog.catalog import Catalog
from extauthz.catalog.changes import Change
from extauthz.catalog.follower import CatalogFollower, Patience
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.store import CatalogStore
from extauthz.document.mistakes import DocumentError

PATIENCE = Patience(news_seconds=0.2, reconcile_seconds=0.05, retry_seconds=0.01)


class HeldCatalog:
    """See `catalog.follower.Replica`."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.loaded: Indexes | None = None
        self.following = False
        self.detail = ""
        self.revision: int | None = None
        self.replaced = 0
        self.refuses: DocumentError | None = None
        self._changed = asyncio.Event()

    @property
    def indexes(self) -> Indexes:
        """What was taken over; fails before anything was."""
        assert self.loaded is not None
        return self.loaded

    async def replace(self, indexes: Indexes) -> None:
        if self.refuses:
            raise self.refuses
        self.catalog.replace(indexes)
        self.loaded, self.replaced = indexes, self.replaced + 1
        self._changed.set()

    async def apply(self, transactions: Sequence[Sequence[Change]]) -> None:
        if self.refuses:
            raise self.refuses
        for transaction in transactions:
            self.catalog.apply(transaction)
        self._changed.set()

    def report(self, *, following: bool, detail: str, revision: int | None) -> None:
        self.following, self.detail, self.revision = following, detail, revision
        self._changed.set()

    async def until(self, condition: Callable[["HeldCatalog"], bool]) -> None:
        """Waits until it is so."""
        async with asyncio.timeout(30):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def frozen(self, reason: str) -> None:
        await self.until(lambda held: not held.following and reason in held.detail)

    async def at(self, revision: int) -> None:
        """Waits until this revision is what it follows."""
        await self.until(lambda held: held.following and held.revision == revision)


@asynccontextmanager
async def following(store: CatalogStore, patience: Patience = PATIENCE) -> AsyncIterator[HeldCatalog]:
    """One that looks often and tries again soon, so that tests are short."""
    held = HeldCatalog()
    task = asyncio.create_task(CatalogFollower(store=store, replica=held, patience=patience).run())
    try:
        yield held
    finally:
        task.cancel()
        await asyncio.wait({task})
