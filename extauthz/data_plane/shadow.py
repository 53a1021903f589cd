"""Says what is in shadow mode, again and again: nobody may forget that it does not refuse."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.telemetry.health import Health
from extauthz.telemetry.readings import Reading, single

SHADOW_COMPONENT = "enforcement"
"""In the health of the process: well in shadow mode too, which is meant; its detail says so."""
_AGAIN_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_NAMED = 10
"""APIs by name in one line of the log."""

_log = structlog.get_logger(__name__)


class ShadowWatch:
    """Tells the log, health and metrics what is in shadow mode."""

    def __init__(self, updates: CatalogUpdates, health: Health, *, everywhere: bool) -> None:
        """`everywhere`: by the settings, the whole process is."""
        self.everywhere = everywhere
        self._updates = updates
        self._health = health
        self._looked_at: tuple[object, float | None] = (None, None)
        self._apis: tuple[str, ...] = ()
        self._told: tuple[bool, tuple[str, ...]] | None = None
        self._told_at = 0.0

    @property
    def apis(self) -> tuple[str, ...]:
        """Ids of the APIs that the catalog of now has in shadow, in order."""
        held = self._updates.held
        version = (held, self._updates.changed_at)
        if version != self._looked_at:  # there may be many thousand
            found = (name for name, indexed in held.apis.items() if indexed.api.shadow) if held else ()
            self._apis, self._looked_at = tuple(sorted(found)), version
        return self._apis

    async def watch(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Warns when something is in shadow, when that changes and each minute, until it is cancelled."""
        while True:
            self.tell(monotonic())
            await sleep(_LOOK_SECONDS)

    def tell(self, now: float) -> None:
        """What there is to say at `now`, in seconds of any clock that does not go back."""
        state = (self.everywhere, self.apis)
        if state != self._told:
            self._health.report(SHADOW_COMPONENT, ok=True, detail=_detail(*state))
            if self._told is not None and not any(state):
                _log.warning("shadow_mode_ended")
        elif now < self._told_at + _AGAIN_SECONDS:
            return
        if any(state):
            _log.warning("shadow_mode", everywhere=self.everywhere, apis=len(self.apis), named=self.apis[:_NAMED])
        self._told, self._told_at = state, now

    def readings(self) -> list[Reading]:
        """For metrics."""
        return [
            single(
                "extauthz_shadow_everywhere",
                "1 if no refusal at all is enforced, by the settings.",
                lambda: float(self.everywhere),
            ),
            single("extauthz_shadow_apis", "APIs whose refusals are not enforced.", lambda: float(len(self.apis))),
        ]


def _detail(everywhere: bool, apis: tuple[str, ...]) -> str:  # noqa: FBT001 - a private pair
    if everywhere:
        return "SHADOW MODE: no refusal is enforced"
    return f"SHADOW MODE: refusals of {len(apis)} APIs are not enforced" if apis else "refusals are enforced"
