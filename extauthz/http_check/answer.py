"""From a CheckResponse to an HTTP response."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from google.rpc import code_pb2

HEADERS_TO_REMOVE = "x-envoy-auth-headers-to-remove"
"""What Envoy's `http_service` takes for `headers_to_remove`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What the proxy is told: 200 lets the request through."""

    status: int
    headers: dict[str, str] = field(repr=False)
    """Of a 200: what the upstream is to get. Else: what the client is to get."""
    body: str = ""


def http_answer(check_response: bytes) -> HttpAnswer:
    """The answer of the servicer in HTTP. The status decides, whatever else is set, as in Envoy.

    Raises:
        DecodeError: not a CheckResponse.
    """
    response: Any = CheckResponse.FromString(check_response)
    if response.status.code == code_pb2.OK:
        ok = response.ok_response
        headers = _headers(ok.headers)
        if ok.headers_to_remove:
            headers[HEADERS_TO_REMOVE] = ",".join(ok.headers_to_remove)
        return HttpAnswer(status=HTTPStatus.OK, headers=headers)
    denied = response.denied_response
    status = denied.status.code or HTTPStatus.FORBIDDEN
    if status < HTTPStatus.BAD_REQUEST:  # a proxy would let it through
        status = HTTPStatus.FORBIDDEN
    return HttpAnswer(status=status, headers=_headers(denied.headers), body=denied.body)


def for_nginx(answer: HttpAnswer) -> HttpAnswer:
    """`auth_request` knows 2xx, 401 and 403; with anything else nginx says 500 and logs an error."""
    if answer.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED} or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer
    return HttpAnswer(status=HTTPStatus.FORBIDDEN, headers=answer.headers, body=answer.body)


def _headers(options: Any) -> dict[str, str]:
    return {option.header.key: option.header.value or option.header.raw_value.decode("latin-1") for option in options}
