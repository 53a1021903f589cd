"""`grpc.health.v1.Health`: whether Envoy and Kubernetes may send requests here."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

_Context = grpc.aio.ServicerContext[HealthCheckRequest, HealthCheckResponse]

_SERVING = HealthCheckResponse.SERVING
_NOT_SERVING = HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


class ServingStatus(HealthServicer):  # type: ignore[misc]
    """One status for every service of this server; not serving until told.

    grpcio's own servicer has a lock that a watcher holds while it writes, so that one slow peer could keep the rest
    from hearing that we leave, and its watchers outlive the drain. Here a change is a plain call.
    """

    def __init__(self, services: Iterable[str]) -> None:
        # The empty name asks about the server as a whole (gRPC health checking protocol).
        self._services = frozenset(services) | {""}
        self._serving = False
        self._closed = False
        self._changed = asyncio.Event()

    def set(self, *, serving: bool) -> None:
        """Tell everyone who watches; nothing happens if it was so before."""
        if serving != self._serving:
            self._serving = serving
            self._wake()

    def close(self) -> None:
        """End the watches that are open, after the last status."""
        self._closed = True
        self._wake()

    async def Check(self, request: HealthCheckRequest, context: _Context) -> HealthCheckResponse:  # noqa: N802
        """The status now; NOT_FOUND for a service that is not here."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return HealthCheckResponse(status=self._status(request.service))

    async def Watch(self, request: HealthCheckRequest, _context: _Context) -> AsyncIterator[HealthCheckResponse]:  # noqa: N802
        """The status now and after each change."""
        last = None
        while True:
            changed, status = self._changed, self._status(request.service)
            if status != last:
                last = status
                yield HealthCheckResponse(status=status)
            elif self._closed:
                return
            else:
                await changed.wait()

    def _status(self, service: str) -> int:
        if service not in self._services:
            return int(_SERVICE_UNKNOWN)
        return int(_SERVING if self._serving else _NOT_SERVING)

    def _wake(self) -> None:
        # Who waits holds the old event; who comes now waits for the next one.
        self._changed.set()
        self._changed = asyncio.Event()
