"""What a Check costs without a socket, bytes in and bytes out, beside the least that it must do."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from support.valkey import ValkeyServer

from benchmarks.cores import LOAD, SERVER, use
from benchmarks.figure import Figure
from benchmarks.files import BACKEND_JWT
from benchmarks.handler.rounds import RUNS, Rounds
from benchmarks.issuer import running_issuer
from benchmarks.plane import running_plane

COLD_EACH_RUN = 100


async def figures() -> list[Figure]:
    """Everything is alternated: each run measures each scenario and its floor once."""
    use(LOAD)  # what is started now stays there
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        issuer = await stack.enter_async_context(running_issuer(folder, jwts=1 + (RUNS + 1) * COLD_EACH_RUN))
        valkey = await stack.enter_async_context(ValkeyServer())
        use(SERVER)
        redis = {"backend": "redis", "secret": ["cache-secret"], "redis": {"url": valkey.url, "timeout_seconds": 1.0}}
        plain = await stack.enter_async_context(running_plane(folder / "plain", issuer))
        signing = await stack.enter_async_context(running_plane(folder / "jwt", issuer, backend_jwt=BACKEND_JWT))
        # One entry: of two tokens in turn, each is found in Redis only.
        shared = await stack.enter_async_context(
            running_plane(folder / "shared", issuer, cache={**redis, "introspection": {"entries": 1}})
        )
        rounds = Rounds(
            issuer=issuer, plain=plain, signing=signing, shared=shared, redis_url=valkey.url, cold=COLD_EACH_RUN
        )
        return await rounds.figures()
