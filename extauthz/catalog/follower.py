"""Keeps a process's catalog in step with a store that all replicas share."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from extauthz.catalog.building import take_apart
from extauthz.catalog.changes import Change
from extauthz.catalog.garbage import without_full_collections
from extauthz.catalog.indexes import Indexes
from extauthz.catalog.loading import loaded
from extauthz.catalog.precedence import NO_CATALOG, ensure_succeeds
from extauthz.catalog.store import CatalogStore, Head, Missed, Position, Transaction, Untrusted
from extauthz.catalog.totals import totals_after
from extauthz.document.mistakes import DocumentError, UnreadyDocumentError
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable

_log = structlog.get_logger(__name__)


class Replica(Protocol):
    """What becomes of what was heard."""

    async def replace(self, indexes: Indexes) -> None:
        """Takes over a whole catalog.

        Raises:
            DocumentError: a key manager cannot be used here; the old catalog stays.
        """
        ...

    async def apply(self, transactions: Sequence[Sequence[Change]]) -> None:
        """Takes over changes, those of a transaction at once.

        Raises:
            DocumentError: a key manager cannot be used here; nothing has changed.
        """
        ...

    def report(self, *, following: bool, detail: str, revision: int | None) -> None:
        """Whether what is held is what the store says, as far as can be known; `revision` of what is held, if any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the follower waits."""

    news_seconds: float = 2.0
    """For news, before it notices that nobody answers; news themselves wait for nothing."""
    reconcile_seconds: float = 30.0
    """Between two looks at the head; also before what was refused is looked at again."""
    retry_seconds: float = 0.5
    """After the store did not answer."""


class CatalogFollower:
    """First all that is stored, then the news; everything again, aside, whenever there may be a gap.

    What is not trusted freezes the last good catalog: it stays as it is, loudly, until the store is in order.
    """

    def __init__(
        self,
        *,
        store: CatalogStore,
        replica: Replica,
        patience: Patience | None = None,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._store = store
        self._replica = replica
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._held: Position | None = None
        self._reload = True
        self._wasted_seconds = 0.0
        """What the last load took, if it was of no use."""
        self._told: set[str] = set()

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            self._wasted_seconds = 0.0
            try:
                await self._follow()
            except Missed:
                # Whoever tells what another catalog was once would have us load without end.
                self._reload, pause = True, self._patience.retry_seconds
            except Unavailable as missing:
                pause = self._unreachable(missing.detail)
            except UnreadyDocumentError as problem:
                pause = self._refused(problem, self._patience.retry_seconds)
            except (Untrusted, DocumentError) as problem:
                # News that cannot be used may be passed over by what is stored as a whole, if that is in order.
                self._reload, pause = True, self._refused(problem, self._patience.reconcile_seconds)
            except Exception as error:  # noqa: BLE001 - whatever is written in the store must not end the process
                unforeseen = Untrusted(
                    f"it cannot be read ({type(error).__name__})"
                )  # its text may quote what was read
                self._reload, pause = True, self._refused(unforeseen, self._patience.reconcile_seconds)
            # Loads that fail leave half of the time to Checks.
            await asyncio.sleep(max(pause, self._wasted_seconds))

    async def _follow(self) -> None:
        while True:
            held = await self._caught_up()
            look_again = self._monotonic() + self._patience.reconcile_seconds
            while self._monotonic() < look_again:
                news = await self._store.news(held, min(self._patience.news_seconds, self._patience.reconcile_seconds))
                if news:
                    held = await self._take(held, news)

    async def _caught_up(self) -> Position:
        """Compares what is held with the head, and hears or loads what is missing."""
        held, now = self._held, await self._store.position()
        if now is None:
            raise Untrusted(NO_CATALOG)
        ensure_succeeds(now.head, held.head if held else None)
        if held is None or self._reload or now.head.epoch != held.head.epoch:
            return await self._load()
        if (now.head.revision, now.head.totals) == (held.head.revision, held.head.totals):
            return self._hold(held)
        # Written since we heard of it, or told while nobody listened.
        news = await self._store.news(held, self._patience.retry_seconds)
        return await self._take(held, news) if news else await self._load()

    async def _take(self, held: Position, news: Sequence[Transaction]) -> Position:
        changes, position = list[Sequence[Change]](), held
        for transaction in news:
            told, head = transaction.changes, transaction.position.head
            if head != position.head:  # else it is an old one that is told again
                if told is None or not _comes_next(head, position.head):
                    return await self._load()
                if totals_after(position.head.totals, told) != head.totals:
                    return await self._load()
                ensure_succeeds(head, position.head)
                changes.append([each.change for each in told])
            position = transaction.position
        await self._replica.apply(changes)
        return self._hold(position)

    async def _load(self) -> Position:
        began, self._reload = self._monotonic(), True
        try:
            with without_full_collections():
                found = await loaded(self._store, self._held.head if self._held else None)
                await self._replace(found.indexes)
        except Exception:
            self._wasted_seconds = self._monotonic() - began
            raise
        return self._hold(found.position)

    async def _replace(self, indexes: Indexes) -> None:
        try:
            await self._replica.replace(indexes)
        except Exception:
            await take_apart(indexes)
            raise

    def _hold(self, position: Position) -> Position:
        self._held, self._reload = position, False
        self._told.clear()
        revision = position.head.revision
        self._replica.report(following=True, detail=f"revision {revision}", revision=revision)
        return position

    def _refused(self, problem: Exception, pause: float) -> float:
        if str(problem) not in self._told:
            self._told.add(str(problem))
            _log.error("catalog_refused", problem=str(problem), kept=self._held is not None)
        return self._not_following(f"frozen: {problem}", pause)

    def _unreachable(self, detail: str) -> float:
        if detail not in self._told:
            self._told.add(detail)
            _log.warning("catalog_unreachable", problem=detail, kept=self._held is not None)
        return self._not_following(detail, self._patience.retry_seconds)

    def _not_following(self, detail: str, pause: float) -> float:
        self._replica.report(following=False, detail=detail, revision=self._held.head.revision if self._held else None)
        return pause


def _comes_next(head: Head, before: Head) -> bool:
    return (head.epoch, head.revision) == (before.epoch, before.revision + 1)
