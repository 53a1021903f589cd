"""Reads the settings again when they change, and serves with them if all of it is right."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import structlog

from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.named_files import signatures, watched_files
from extauthz.data_plane.restart import need_restart
from extauthz.data_plane.running import RunningPlane
from extauthz.data_plane.switch import Switch
from extauthz.document.aside import aside
from extauthz.document.file_signature import FileSignature
from extauthz.document.mistakes import DocumentError
from extauthz.document.strict import load
from extauthz.model.errors import Unavailable
from extauthz.settings.process import Settings

_KEPT = "the new settings cannot be used, the last good ones stay"

_log = structlog.get_logger(__name__)


class Reload:
    """Looks at the settings file, and at the files of secrets and certificates that it names.

    Whatever is wrong with the new settings, the old ones stay. What could not be used is not tried again before it
    changes; what only could not be used now is.
    """

    def __init__(
        self,
        config: Path,
        switch: Switch,
        lasting: Lasting,
        *,
        seen: Mapping[Path, FileSignature],
        asked: asyncio.Event,
        usable: Callable[[Settings], object] | None = None,
    ) -> None:
        """`switch` serves with what was read from `config`; `seen` are the watched files as they were before.

        Whoever sets `asked` has the settings read again, even if nothing has changed. `usable` raises DocumentError for
        settings that are right by themselves, and not for this process.
        """
        self._config = config
        self._switch = switch
        self._lasting = lasting
        self._at_start = switch.now.plane.settings
        self._seen: dict[Path, FileSignature | Literal["never"]] = dict(seen)
        self._asked = asked
        self._usable = usable
        self._told = ""

    async def follow(self) -> None:
        """Looks every `reload.interval_seconds`, and when it is asked to, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._switch.now.plane.settings.reload.interval_seconds):
                    await self._asked.wait()
            await self.refresh()

    async def refresh(self) -> None:
        """Reads the settings if it was asked to, or something has changed."""
        if not self._asked.is_set() and self._seen == signatures(self._seen):
            return
        self._asked.clear()
        try:
            await self._reload()
        except DocumentError as problem:
            self._keep(str(problem))
        except Unavailable as problem:
            self._keep(f"{problem.component}: {problem.detail}", again=True)
        except Exception as error:  # noqa: BLE001 - the old settings stay, whatever is wrong with the new ones
            # Its text may quote a secret.
            self._keep(f"{self._config}: {type(error).__name__}")

    async def _reload(self) -> None:
        # Noted before it is read: what changes meanwhile is read once more.
        former = self._switch.now
        self._seen = {**signatures(watched_files(former.plane.settings, self._config))}
        settings = await aside(lambda: load(self._config, Settings))
        self._seen |= signatures(self._tried(settings))
        if self._usable is not None:
            self._usable(settings)
        running = await RunningPlane.start(settings, self._config.parent, lasting=self._lasting, former=former.plane)
        try:
            await running.ready(settings.reload.ready_seconds)
        except BaseException:
            await running.let_go()
            raise
        restart = need_restart(self._at_start, settings)
        self._switch.to(running, detail=f"a restart is needed for {', '.join(restart)}" if restart else "applied")
        self._seen = {path: self._seen[path] for path in watched_files(settings, self._config)}
        self._lasting.reloads["applied"] += 1
        self._told = ""
        _log.info("settings_applied")
        if restart:
            _log.warning("settings_need_restart", names=restart)

    def _keep(self, problem: str, *, again: bool = False) -> None:
        self._lasting.reloads["refused"] += 1
        self._switch.keep(_KEPT)
        if again:
            self._seen[self._config] = "never"
        if problem != self._told:
            self._told = problem
            _log.error("settings_refused", problem=problem)

    def _tried(self, settings: Settings) -> frozenset[Path]:
        """Also the catalog: if that is what is wrong, nobody else would see that it has changed."""
        catalog = settings.catalog.file
        return watched_files(settings, self._config) | ({self._config.parent / catalog} if catalog else set())
