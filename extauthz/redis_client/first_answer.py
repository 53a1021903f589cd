"""One question to several, and the first good answer."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from extauthz.model.errors import Unavailable
from extauthz.redis_client.refused import Refused

T = TypeVar("T")


async def first_answer(questions: Iterable[Coroutine[Any, Any, T]], otherwise: Unavailable) -> T:
    """All are asked at once, so that one which hangs holds nobody up.

    Raises:
        Unavailable: nobody answered; a refusal, where there was one, else `otherwise`.
    """
    tasks = [asyncio.ensure_future(question) for question in questions]
    refused: Refused | None = None
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                return await finished
            except Refused as exc:
                refused = exc
            except Unavailable:
                continue
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise refused or otherwise
