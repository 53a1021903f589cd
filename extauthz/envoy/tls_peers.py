"""Mutual TLS: which of the clients that an authority vouches for may call."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog

_SAN = "x509_subject_alternative_name"
_QUIET_SECONDS = 60.0

_log = structlog.get_logger(__name__)

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class KnownPeers(grpc.aio.ServerInterceptor):
    """Fails each call, to whatever service, of a client whose certificate has none of the names.

    A failed call is right here, though Envoy may let a request pass on one (`failure_mode_allow`): whoever calls is not
    an Envoy of ours, so no request of ours hangs on the answer.
    """

    def __init__(self, names: Collection[str]) -> None:
        """`names`: DNS names and URIs of subject alternative names, compared byte by byte.

        They must not look like an IP or a mail address: gRPC gives names of all types in one list.

        Raises:
            ValueError: no name at all.
        """
        if not names:
            raise ValueError("nobody could call")
        self._names = frozenset(name.encode() for name in names)
        self._guarded: dict[str, _Handler] = {}
        self._quiet_until = 0.0

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler of a method behind the check; None: no such method."""
        guarded = self._guarded.get(details.method)
        if guarded is None and (handler := await continuation(details)) is not None:
            guarded = self._guarded[details.method] = self._behind_the_check(handler)
        return guarded

    def _behind_the_check(self, handler: _Handler) -> _Handler:
        serializers = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._one(handler.unary_unary), **serializers)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(self._many(handler.unary_stream), **serializers)
        assert handler.stream_stream is not None  # noqa: S101 - we serve no fourth kind
        return grpc.stream_stream_rpc_method_handler(self._many(handler.stream_stream), **serializers)

    def _one(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: _Context) -> Any:
            if not self._is_known(context):
                await self._refuse(context)
            return await behaviour(request, context)

        return call

    def _many(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: _Context) -> AsyncIterator[Any]:
            if not self._is_known(context):
                await self._refuse(context)
            async for answer in behaviour(request, context):
                yield answer

        return call

    def _is_known(self, context: _Context) -> bool:
        # Without such names gRPC would give the common name (RFC 9525 §2: no identity any more).
        # On each call, at 1.5 us: nothing in Python lives as long as a connection, and a port may be used again.
        return context.peer_identity_key() == _SAN and not self._names.isdisjoint(context.peer_identities() or ())

    async def _refuse(self, context: _Context) -> NoReturn:
        if time.monotonic() >= self._quiet_until:  # who is refused once comes again and again
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            names = [name.decode("utf-8", "backslashreplace") for name in context.peer_identities() or ()]
            _log.warning("client_refused", names=names[:10], peer=context.peer())
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no client of this server")
