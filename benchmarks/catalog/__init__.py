"""The catalog: a large one from Redis, what a reload costs Checks, and what a look-up costs in it."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.authorization_server import AuthorizationServer
from support.valkey import ValkeyServer

from benchmarks.catalog import replica
from benchmarks.figure import Figure, GoalOn

_ALONE = Path(__file__).parents[2]


async def figures() -> list[Figure]:
    """Everything that needs its own memory, or the machine for itself, is a process of its own."""
    async with AuthorizationServer() as issuer, _folder() as folder, ValkeyServer() as valkey:
        await _alone("benchmarks.catalog.written", valkey.url, issuer.issuer, issuer.jwks_uri)
        found = await replica.figures(folder, issuer, valkey.url)
        found += _figures(await _alone("benchmarks.catalog.looked_up", valkey.url))
    return found + _figures(await _alone("benchmarks.catalog.from_yaml"))


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


async def _alone(module: str, *arguments: str) -> Any:
    """What a process of its own prints as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdout=asyncio.subprocess.PIPE, cwd=_ALONE
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with status {process.returncode}")
    return json.loads(printed)


def _figures(members: list[dict[str, Any]]) -> list[Figure]:
    return [Figure(**(member | {"goal_on": GoalOn(member["goal_on"])})) for member in members]
