"""What goes on beside the requests: expired tokens are forgotten."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.resident.token_store import TokenStore

INTERVAL_SECONDS = 60.0
"""Expired rows are inactive anyway; this only bounds the table."""

logger = structlog.get_logger(__name__)


def lifespan(store: TokenStore, clock: Clock) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Cleans the store from the application's start to its end, then closes it."""

    @asynccontextmanager
    async def cleaned(_app: FastAPI) -> AsyncIterator[None]:
        stopped = asyncio.Event()
        cleaning = asyncio.create_task(_clean(store, clock, stopped))
        try:
            yield
        finally:
            stopped.set()
            await cleaning
            store.close()

    return cleaned


async def _clean(store: TokenStore, clock: Clock, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        try:
            await asyncio.to_thread(store.delete_expired, int(clock()))
        except Unavailable as exc:
            logger.warning("expired tokens were not deleted", component=exc.component, detail=exc.detail)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL_SECONDS):
                await stopped.wait()
