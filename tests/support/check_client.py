"""A Check client nobody here wrote: envoy-data-plane's messages over grpclib."""

import contextlib
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from grpclib.client import Channel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's opinion of the generated classes
    from envoy_data_plane.envoy.config.core.v3 import HeaderMap, HeaderValue
    from envoy_data_plane.envoy.service.auth.v3 import (
        AttributeContext,
        AttributeContextHttpRequest,
        AttributeContextPeer,
        AttributeContextRequest,
        AuthorizationAsyncStub,
        CheckRequest,
        CheckResponse,
        DeniedHttpResponse,
        OkHttpResponse,
    )

__all__ = [
    "OVERWRITES",
    "AuthorizationAsyncStub",
    "CheckResponse",
    "allowed",
    "check_request",
    "connected",
    "denied",
    "headers_of",
    "status_of",
]

OVERWRITES = pytest.mark.filterwarnings("ignore:HeaderValueOption.append is deprecated:DeprecationWarning")
"""For tests that read answers: we set both fields on purpose, and these classes warn of the older one."""


def check_request(
    *,
    method: str = "GET",
    host: str = "api.example.com",
    path: str = "/petstore/v1/pets?limit=1",
    headers: Mapping[str, str] | None = None,
    raw_headers: Sequence[tuple[str, bytes]] | None = None,
    extensions: Mapping[str, str] | None = None,
    scheme: str = "",
    certificate: str = "",
) -> CheckRequest:
    """As Envoy sends it: with `headers`, or with `raw_headers` under `encode_raw_headers`."""
    http = AttributeContextHttpRequest(
        id="stream-1", method=method, host=host, path=path, scheme=scheme, headers=dict(headers or {})
    )
    if raw_headers is not None:
        http.header_map = HeaderMap(headers=[HeaderValue(key=key, raw_value=value) for key, value in raw_headers])
    attributes = AttributeContext(
        source=AttributeContextPeer(certificate=certificate),
        request=AttributeContextRequest(http=http),
        context_extensions=dict(extensions or {}),
    )
    return CheckRequest(attributes=attributes)


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[AuthorizationAsyncStub]:
    """A client on a connection of its own."""
    async with Channel("127.0.0.1", port) as channel:
        yield AuthorizationAsyncStub(channel)


def denied(response: CheckResponse) -> DeniedHttpResponse:
    """The refusal; fails for an answer that lets the request through."""
    assert response.status is not None
    assert response.status.code != 0
    assert response.ok_response is None
    assert response.denied_response is not None
    return response.denied_response


def status_of(response: CheckResponse) -> int:
    """The HTTP status of a refusal."""
    status = denied(response).status
    assert status is not None
    return int(status.code)


def allowed(response: CheckResponse) -> OkHttpResponse:
    """What goes along with an allowed request; fails for a refusal."""
    assert response.status is not None
    assert response.status.code == 0
    assert response.denied_response is None
    assert response.ok_response is not None
    return response.ok_response


def headers_of(response: DeniedHttpResponse | OkHttpResponse) -> dict[str, str]:
    """The headers that Envoy sets; fails for one that it would not overwrite, whatever its version."""
    values = {}
    for option in response.headers:
        assert option.header is not None
        assert option.append is False
        assert option.append_action.name == "OVERWRITE_IF_EXISTS_OR_ADD"
        assert not option.header.raw_value
        assert option.header.key not in values
        values[option.header.key] = option.header.value
    return values
