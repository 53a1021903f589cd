"""Form requests of bounded size (RFC 6749 §3.2, RFC 7662 §2.1, RFC 7009 §2.1)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError
from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

MAX_BYTES = 64 * 1024
"""A request holds one token and a few names."""

MAX_FIELDS = 100

READ_TIMEOUT_SECONDS = 10.0
"""A body of this size arrives at once; a client that takes longer only keeps a connection."""

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRequest:
    """A POST request with its parameters."""

    headers: Headers = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    """Parameters without a value are left out (RFC 6749 §3.2)."""


async def read_form(request: Request) -> FormRequest:
    """The form that a request carries.

    Raises:
        InvalidRequestError: it is no form, too large, too slow, malformed, or repeats a parameter.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequestError(description=f"The content type must be {_FORM}.")
    body = await _body(request)
    return FormRequest(headers=request.headers, form=_parameters(body))


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise InvalidRequestError(description="The request is too large.", status_code=413)
    except TimeoutError as exc:
        raise InvalidRequestError(description="The request took too long.", status_code=408) from exc
    except ClientDisconnect as exc:
        raise InvalidRequestError(description="The request was not complete.") from exc
    return bytes(body)


def _parameters(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as exc:
        raise InvalidRequestError(description="The form is malformed.") from exc
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise InvalidRequestError(description="The request has a parameter twice.")
    return {name: value for name, value in parameters.items() if value}
