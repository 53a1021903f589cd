"""Asks a replica over gRPC, as Envoy and Kubernetes do."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import NoReturn, Self

import grpc
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from extauthz.envoy.listen_address import ListenAddress
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE
from extauthz.model.errors import Unavailable

_COMPONENT = "extauthz"
_CHECK = f"/{AUTHORIZATION_SERVICE}/Check"
_HEALTH = "/grpc.health.v1.Health/Check"
_TELLING = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""Their details come from our own end of the connection, so they quote nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """TLS towards a replica, in PEM."""

    authorities: bytes | None = None
    """Who is trusted; None: those that gRPC has built in."""
    certificate: bytes | None = None
    """With its chain; None: we show none."""
    key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None
    """What the replica's certificate must name; None: the host of the address."""


class EnvoyClient:
    """One connection to a replica; used as a context."""

    def __init__(self, address: str, *, timeout_seconds: float, tls: ClientTls | None = None) -> None:
        """`address` is `host:port`, `[ipv6]:port` or `unix:/path`; without `tls` it is spoken to in the clear.

        Raises:
            ValueError: not an address.
        """
        self._target = ListenAddress.parse(address).target
        self._timeout_seconds = timeout_seconds
        self._tls = tls

    async def __aenter__(self) -> Self:
        self._channel = _channel(self._target, self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close(None)

    async def check(self, request: CheckRequest) -> CheckResponse:
        """The answer to a Check.

        Raises:
            Unavailable: there is none.
        """
        return CheckResponse.FromString(await self._call(_CHECK, request.SerializeToString()))

    async def health(self, service: str = "") -> str:
        """`SERVING`, `NOT_SERVING`, ...: the word of the gRPC health checking protocol for a service.

        Raises:
            Unavailable: there is no answer, or no such service.
        """
        request = HealthCheckRequest(service=service)
        answer = HealthCheckResponse.FromString(await self._call(_HEALTH, request.SerializeToString()))
        name: str = HealthCheckResponse.ServingStatus.Name(answer.status)
        return name

    async def _call(self, method: str, request: bytes) -> bytes:
        ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)
        try:
            answer: bytes = await ask(request, timeout=self._timeout_seconds)
        except grpc.aio.AioRpcError as error:
            _no_answer(self._target, error)
        return answer


def _channel(target: str, tls: ClientTls | None) -> grpc.aio.Channel:
    options: list[tuple[str, str | int]] = [("grpc.enable_http_proxy", 0)]
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    if tls.server_name is not None:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = grpc.ssl_channel_credentials(tls.authorities, tls.key, tls.certificate)
    return grpc.aio.secure_channel(target, credentials, options=options)


def _no_answer(target: str, error: grpc.aio.AioRpcError) -> NoReturn:
    details = f": {error.details()}" if error.code() in _TELLING and error.details() else ""
    raise Unavailable(_COMPONENT, f"{target} gives no answer ({error.code().name}){details}") from error
