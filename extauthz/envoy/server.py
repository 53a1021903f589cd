"""The gRPC server that Envoy talks to."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass

import grpc
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from extauthz.envoy.health import ServingStatus
from extauthz.envoy.listen_address import ListenAddress
from extauthz.envoy.server_options import DEFAULT_OPTIONS, ServerOptions
from extauthz.envoy.servicer import AUTHORIZATION_SERVICE, AuthorizationServicer, rpc_handlers
from extauthz.envoy.tls_certificates import ServerCertificates
from extauthz.envoy.tls_peers import KnownPeers
from extauthz.telemetry.health import Health

_HEALTH_SERVICE = "grpc.health.v1.Health"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """TLS, and who may call."""

    certificates: ServerCertificates
    client_names: Collection[str] = ()
    """Names of clients' certificates, see `KnownPeers`; empty only where no client needs a certificate."""


class EnvoyServer:
    """Serves `Authorization` and `Health` on one address, in the running event loop."""

    def __init__(
        self,
        *,
        address: str,
        servicer: AuthorizationServicer,
        health: Health,
        options: ServerOptions = DEFAULT_OPTIONS,
        tls: ServerTls | None = None,
    ) -> None:
        """`address` is `host:port`, `[ipv6]:port` or `unix:/path`; port 0 lets the kernel choose.

        Without `tls` it is served in the clear.

        Raises:
            ValueError: not an address.
        """
        self._address = ListenAddress.parse(address)
        self._servicer = servicer
        self._health = health
        self._options = options
        self._tls = tls
        self._status = ServingStatus({AUTHORIZATION_SERVICE})
        self._server: grpc.aio.Server | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen, and return the port (0 for a Unix socket). gRPC health follows `Health` from here on.

        Raises:
            OSError: the address cannot be had.
        """
        self._address.clear()
        server = self._with_services()
        try:
            port = self._add_port(server)
        except RuntimeError as exc:  # all that gRPC says; the cause stands in its own log
            raise OSError(f"cannot listen on {self._address.target}") from exc
        if self._options.socket_mode is not None:
            self._address.permit(self._options.socket_mode)  # bound by now, and nobody is accepted yet
        await server.start()
        self._server = server
        if self._tls is not None:
            self._following = asyncio.create_task(self._tls.certificates.follow())
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
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following

    def _with_services(self) -> grpc.aio.Server:
        # Where everybody may call, calls have nothing to pass: an interceptor costs each of them a turn.
        names = self._tls.client_names if self._tls is not None else ()
        peers = [KnownPeers(names)] if names else []
        server = grpc.aio.server(interceptors=peers, options=self._options.channel_arguments())
        server.add_generic_rpc_handlers((rpc_handlers(self._servicer),))
        add_HealthServicer_to_server(self._status, server)
        if self._options.reflection:
            from extauthz.envoy.reflection import add_reflection  # noqa: PLC0415 - most servers need none of it

            add_reflection(server, (AUTHORIZATION_SERVICE, _HEALTH_SERVICE))
        return server

    def _add_port(self, server: grpc.aio.Server) -> int:
        if self._tls is None:
            return server.add_insecure_port(self._address.target)
        return server.add_secure_port(self._address.target, self._tls.certificates.credentials())

    def _follow(self, health: Health) -> None:
        self._status.set(serving=health.ready)
