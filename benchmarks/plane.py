"""The data plane of `extauthz serve`, in this process and without its ports."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.files import environment, write_files
from benchmarks.issuer import Issuer
from extauthz.data_plane.build import build
from extauthz.document.strict import load
from extauthz.envoy.servicer import AuthorizationServicer
from extauthz.settings.process import Settings
from extauthz.telemetry.logs import configure_logs

Check = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Serialized requests to serialized answers."""

    check: Check
    """As it is served, with the log of decisions."""
    check_without_log: Check


@asynccontextmanager
async def running_plane(folder: Path, issuer: Issuer, **settings: object) -> AsyncIterator[Plane]:
    """Built by the code that `extauthz serve` is built by, with its default settings but for those given."""
    os.environ.update(environment(issuer))
    path = write_files(folder, issuer, settings)
    with (folder / "log").open("w", encoding="utf-8") as log:
        configure_logs(log)
        async with AsyncExitStack() as stack:
            plane = await build(load(path, Settings), folder, stack)
            ready = asyncio.Event()
            plane.health.subscribe(lambda health: ready.set() if health.ready else None)
            tasks = [asyncio.ensure_future(work) for work in (plane.follow_catalog(), plane.revocation.follow())]
            async with asyncio.timeout(20):
                await ready.wait()
            served = plane.servicer
            yield Plane(check=served.Check, check_without_log=_without_log(served).Check)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _without_log(served: AuthorizationServicer) -> AuthorizationServicer:
    return AuthorizationServicer(replace(served.answering, on_decision=None))
