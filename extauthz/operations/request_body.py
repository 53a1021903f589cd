"""The body of a request to the operations port, in bounded time and room."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from extauthz.operations.refused import RefusedError

_SECONDS = 10.0


async def bounded_body(request: Request, *, max_bytes: int) -> bytes:
    """All of it.

    Raises:
        RefusedError: it is longer, does not come in time, or breaks off.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"longer than {max_bytes} bytes")
    except TimeoutError as error:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, f"no body within {_SECONDS:.0f} s") from error
    except ClientDisconnect as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body broke off") from error  # nobody reads it
    return bytes(body)
