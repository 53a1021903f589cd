"""What a replica does about news that are of no use to it (see tests/contract for what every store must do)."""

import asyncio

from support.catalog_replica import following
from support.catalog_stores import MemoryStore
from support.catalogs import contents

from extauthz.catalog.follower import Patience
from extauthz.catalog.store import Missed

_TURNS = 2000
"""Of the loop; a store in memory is loaded in far fewer."""


class OfAnotherCatalog(MemoryStore):
    """Somebody puts what another catalog was told once into the stream, again and again."""

    async def news(self, after, wait_seconds):
        raise Missed("catalog", "changes are no longer told one by one")


async def test_whoever_repeats_what_is_no_news_cannot_keep_a_replica_loading():
    store = OfAnotherCatalog()
    await store.write(*contents().entities())
    async with following(store, Patience(retry_seconds=600)) as held:
        await held.at(1)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        assert store.loads == 1
