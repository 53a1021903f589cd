"""A running key manager, with a clock that a test moves."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from support.clock import Clock
from support.resident import Resident, Start, running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Start:
    def _start(**settings: Any) -> AbstractAsyncContextManager[Resident]:
        return running(tmp_path, clock, **settings)

    return _start


@pytest.fixture
async def resident(start: Start) -> AsyncIterator[Resident]:
    async with start() as server:
        yield server
