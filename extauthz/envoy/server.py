"""The gRPC server that Envoy talks to."""

import asyncio

import grpc
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from extauthz.envoy.health import ServingStatus
from extauthz.envoy.listen_address import ListenAddress
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE, AuthorizationServicer, rpc_handlers
from extauthz.telemetry.health import Health

DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Twice the most that Envoy takes as request headers (`max_request_headers_kb`, 8192 at most). A longer message is
answered with a failed call, which `failure_mode_allow` lets pass, so the limit must lie above what can come."""

_OPTIONS = (
    # Two processes must not share a port unnoticed: kernels spread connections, not requests.
    ("grpc.so_reuseport", 0),
    # Find out within 80 s that an Envoy is gone without a goodbye.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Envoy may ping an idle connection (`connection_keepalive`); gRPC's own limit of one in 5 min would close it.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class EnvoyServer:
    """Serves `Authorization` and `Health` in the clear, on one address, in the running event loop."""

    def __init__(
        self,
        *,
        address: str,
        servicer: AuthorizationServicer,
        health: Health,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    ) -> None:
        """`address` is `host:port`, `[ipv6]:port` or `unix:/path`; port 0 lets the kernel choose.

        Raises:
            ValueError: not an address.
        """
        self._address = ListenAddress.parse(address)
        self._servicer = servicer
        self._health = health
        self._options = (*_OPTIONS, ("grpc.max_receive_message_length", max_message_bytes))
        self._status = ServingStatus({AUTHORIZATION_SERVICE})
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port (0 for a Unix socket). gRPC health follows `Health` from here on.

        Raises:
            OSError: the address cannot be had.
        """
        self._address.clear()
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers((rpc_handlers(self._servicer),))
        add_HealthServicer_to_server(self._status, server)
        try:
            port = server.add_insecure_port(self._address.target)
        except RuntimeError as exc:  # all that gRPC says; the cause stands in its own log
            raise OSError(f"cannot listen on {self._address.target}") from exc
        await server.start()
        self._server = server
        self._status.set(serving=self._health.ready)
        self._health.subscribe(self._follow)
        return 0 if self._address.socket_path is not None else port

    async def drain(self, *, delay_seconds: float, grace_seconds: float) -> None:
        """Leave without a refusal: say that we go, wait until it is known, finish what is in flight, stop.

        What is not finished after `grace_seconds` is cancelled. Nothing happens on a server that does not run.
        """
        server = self._server
        if server is None:
            return
        was_ready = self._health.ready
        self._health.begin_draining()
        if was_ready:  # else nobody was told to come here
            await asyncio.sleep(delay_seconds)
        self._status.close()
        await server.stop(grace_seconds)
        self._server = None

    def _follow(self, health: Health) -> None:
        self._status.set(serving=health.ready)
