"""Makes revocations hold: in this process at once, and on every replica by way of a channel."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from extauthz.model.clock import Clock
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import Entry, Revocation
from extauthz.revocation.revocation_list import RevocationList

_log = structlog.get_logger(__name__)


class Channel(Protocol):
    """How replicas learn from each other."""

    async def publish(self, entries: Sequence[Entry]) -> None:
        """Store the entries for those who come later, and tell those who are there.

        Raises:
            Unavailable: they may not have been stored.
        """
        ...


class OneProcess:
    """The channel of a process that shares its revocations with nobody."""

    async def publish(self, entries: Sequence[Entry]) -> None:
        """See `Channel`: whoever has to know them does."""


class Revoker:
    """Turns revocations into entries and publishes them."""

    def __init__(
        self,
        *,
        keys: RevocationKeys,
        revoked: RevocationList,
        retention: Retention,
        channel: Channel,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._revoked = revoked
        self._retention = retention
        self._channel = channel
        self._clock = clock

    async def revoke(self, revocations: Sequence[Revocation]) -> None:
        """Revokes, for good. Revoking again changes nothing.

        Raises:
            Unavailable: other replicas may not learn of it: to be tried again. This process holds to it all the same.
        """
        now = self._clock()
        entries = [self._entry(revocation, now) for revocation in revocations]
        for entry in entries:
            self._revoked.add(entry)
        await self._channel.publish([entry for entry in entries if entry.keep_until > now])
        for each in revocations:
            _log.info("revoked", organization=each.organization, key_manager=each.key_manager, form=each.form.value)

    def _entry(self, revocation: Revocation, now: float) -> Entry:
        return Entry(
            name=self._keys.name(revocation),
            issued_until=revocation.issued_until,
            keep_until=self._retention.keep_until(revocation, now),
        )
