"""`python -m benchmarks.catalog.written URL ISSUER JWKS_URI`: writes the large catalog."""

import asyncio
import json
import sys

from benchmarks.catalog.generated import LARGE, entities
from benchmarks.catalog.redis_catalog import catalog_store, key_manager, writer
from extauthz.catalog.changes import Change, identity_of
from extauthz.catalog.redis.snapshot import Snapshot


async def main(url: str, issuer: str, jwks_uri: str) -> None:
    """One transaction, into an empty Valkey."""
    store = catalog_store(url)
    all_of_it = entities(LARGE, key_manager(issuer, jwks_uri))
    changes = [Change(identity=identity_of(entity), entity=entity) for entity in all_of_it]
    if await writer(store).write(Snapshot(), changes, empty=False) is None:
        raise RuntimeError("the Valkey is not empty")
    await store.close()
    print(json.dumps(len(changes)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
