"""Builds what follows the catalog: a file, or the Redis that all replicas follow."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from extauthz.catalog.file_source import FileSource
from extauthz.catalog.follower import CatalogFollower, Patience
from extauthz.data_plane.catalog_store import catalog_store, ensure_kept
from extauthz.data_plane.catalog_updates import CatalogUpdates
from extauthz.data_plane.secrets import Secrets
from extauthz.settings.catalog import CatalogSettings

FollowCatalog = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled.

Raises:
    DocumentError: at the start; a file that cannot be used, or a Redis that may throw the catalog away.
"""


def catalog_source(
    settings: CatalogSettings, secrets: Secrets, folder: Path, stack: AsyncExitStack, updates: CatalogUpdates
) -> FollowCatalog:
    """What the settings ask for; files are relative to `folder`.

    Raises:
        DocumentError: a secret is of no use.
    """
    if settings.redis is None:
        return _file(settings, folder, updates)
    store = catalog_store(settings, secrets, folder)
    stack.push_async_callback(store.close)
    patience = Patience(reconcile_seconds=settings.reconcile_seconds)
    follower = CatalogFollower(store=store, replica=updates, patience=patience)

    async def follow() -> None:
        await ensure_kept(store)
        await follower.run()

    return follow


def _file(settings: CatalogSettings, folder: Path, updates: CatalogUpdates) -> FollowCatalog:
    source = FileSource(folder / (settings.file or ""), updates)

    async def follow() -> None:
        await source.load()
        await source.follow(settings.reload_seconds)

    return follow
