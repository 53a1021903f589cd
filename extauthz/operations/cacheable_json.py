"""JSON that its readers may keep for a while, and then ask whether it is still the same (RFC 9111, RFC 9110 §8.8.3)."""

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from extauthz.oauth2 import base64url

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def cacheable_json(request: Request, document: Mapping[str, Any], *, media_type: str, max_age_seconds: int) -> Response:
    """The document, or 304 to a reader who has it."""
    answer = JSONResponse(document, media_type=media_type)
    # Of the bytes themselves: equal on every replica with equal keys.
    etag = f'"{base64url.encode(hashlib.sha256(bytes(answer.body)).digest())}"'
    headers = {"Cache-Control": f"public, max-age={max_age_seconds}", "ETag": etag}
    if _is_held(etag, request.headers.getlist("if-none-match")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    answer.headers.update(headers)
    return answer


def _is_held(etag: str, asked: list[str]) -> bool:
    """RFC 9110 §13.1.2: `*`, or one of the tags, weak or not."""
    return any(value.strip() == "*" or etag in _ENTITY_TAG.findall(value) for value in asked)
