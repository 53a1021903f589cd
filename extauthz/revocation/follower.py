"""Keeps a process's revocations in step with a store that all replicas share."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from extauthz.model.errors import Unavailable
from extauthz.redis_client.eviction import evicts
from extauthz.revocation.channel import News, Position, RevocationStore
from extauthz.revocation.revocation import Entry
from extauthz.revocation.revocation_list import RevocationList

_log = structlog.get_logger(__name__)

NOT_INITIALISED = (
    "redis holds no revocations and no sign that it ever did. If it is new, run `extauthz revoke --initialize`; "
    "else a replica that still knows them will restore them"
)


class Report(Protocol):
    """Told how things are, whenever they may have changed."""

    def __call__(self, *, known: bool, following: bool, detail: str) -> None:
        """`known`: the revocations of the past are; `following`: news arrive."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the follower waits."""

    news_seconds: float = 2.0
    """For news, before it looks whether the store is still the same; news themselves wait for nothing."""
    retry_seconds: float = 0.5
    """After a failure."""


class Follower:
    """First all that is kept, then the news; everything again whenever there may be a gap.

    Where the store has lost what this process knows, or some of it, this process publishes it again.
    """

    def __init__(
        self,
        *,
        store: RevocationStore,
        revoked: RevocationList,
        report: Report,
        patience: Patience | None = None,
    ) -> None:
        self._store = store
        self._revoked = revoked
        self._report = report
        self._patience = patience or Patience()
        self._unproven = 0

    async def run(self) -> None:
        """Follows until it is cancelled. What was known before an outage is known all through it."""
        while True:
            try:
                await self._follow()
            except Unavailable as missing:
                if not self._revoked.known:
                    _log.warning("revocations_not_known", detail=missing.detail)
                await self._pause(missing.detail)
            except Exception as error:  # noqa: BLE001 - whatever is written in the store must not end the process
                kind = type(error).__name__  # its text may quote what was read
                _log.error("revocations_failed", error=kind)
                await self._pause(f"revocations cannot be followed ({kind})")

    async def _pause(self, detail: str) -> None:
        self._report(known=self._revoked.known, following=False, detail=detail)
        await asyncio.sleep(self._patience.retry_seconds)

    async def _follow(self) -> None:
        await self._ensure_kept()
        position: Position | None = await self._catch_up()
        self._revoked.known = True
        self._tell()
        while position is not None:
            position = await self._next(position)

    async def _ensure_kept(self) -> None:
        policy = await self._store.eviction_policy()
        if evicts(policy) and not self._revoked.known:
            raise Unavailable("revocations", f"redis throws revocations away: its maxmemory-policy is {policy}")

    async def _catch_up(self) -> Position:
        """Hold all that the store keeps, and let it keep all that we hold.

        Raises:
            Unavailable: the store cannot be read, or it has no epoch and we cannot say that it never had one.
        """
        while True:
            # The end first: what is published while the pages are read is news.
            position = await self._store.position()
            kept = await self._load()
            missing = [entry for entry in self._revoked.entries() if entry not in kept]
            if missing:
                _log.warning("revocations_restored", entries=len(missing))
                await self._store.restore(missing)
            if position.epoch is not None:
                return position
            if not self._revoked.known:
                raise Unavailable("revocations", NOT_INITIALISED)
            # Only now, so that nobody who starts sees an epoch before what it vouches for. Then once more: another
            # replica may have restored what we never heard of.
            await self._store.initialise()

    async def _load(self) -> set[Entry]:
        kept: set[Entry] = set()
        self._unproven = 0
        async for page in self._store.pages():
            for entry in page.entries:
                self._revoked.add(entry)
            kept.update(page.entries)
            self._unproven += page.unproven
        if self._unproven and not self._revoked.known:
            # They may be revocations whose secret we have not: to pass over them would let revoked tokens in.
            raise Unavailable("revocations", self._about_unproven())
        return kept

    async def _next(self, position: Position) -> Position | None:
        """The position after the next news; None: something was missed."""
        items = await self._store.news(position, self._patience.news_seconds)
        if not items:
            now = await self._store.position()
            return position if (now.epoch, now.number) == (position.epoch, position.number) else None
        for item in items:
            self._take(item)
            if (item.position.epoch, item.position.number) != (position.epoch, position.number + 1):
                return None
            position = item.position
        return position

    def _take(self, item: News) -> None:
        if item.entry is not None:
            self._revoked.add(item.entry)
            return
        self._unproven += 1
        self._tell()

    def _tell(self) -> None:
        if self._unproven:
            _log.error("revocations_unproven", entries=self._unproven)
        detail = self._about_unproven() if self._unproven else f"{len(self._revoked)} revocations"
        self._report(known=True, following=not self._unproven, detail=detail)

    def _about_unproven(self) -> str:
        return f"{self._unproven} entries in redis were not made with any of revocation.secret"
