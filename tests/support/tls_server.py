"""A gRPC server with TLS, its files, and clients of it."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from support.certificate_authority import CertificateAuthority
from support.deciders import Answers, open_allow

from extauthz.envoy.response import ResponseBuilder, ResponsePolicy
from extauthz.envoy.server import EnvoyServer, ServerTls
from extauthz.envoy.server_options import ServerOptions
from extauthz.envoy.servicer import Answering, AuthorizationServicer, Decider
from extauthz.envoy.tls_certificates import ServerCertificates
from extauthz.envoy.tls_files import TlsFiles
from extauthz.envoy_client.client import ClientTls
from extauthz.model.clock import Clock
from extauthz.telemetry.health import Health

GATEWAY = "gateway.example.com"
GATEWAY_URI = "spiffe://example.org/ns/gateway/sa/envoy"


class TlsWorld:
    """An authority, the server's files in a folder, and what clients show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = CertificateAuthority(folder)
        self.health = Health(essential={"catalog"})
        self.health.report("catalog", ok=True)
        self.renew()

    @property
    def files(self) -> TlsFiles:
        """With clients' certificates required."""
        return TlsFiles(
            certificate=self.folder / "tls.crt", key=self.folder / "tls.key", client_ca=self.authority.ca_file
        )

    def renew(self, authority: CertificateAuthority | None = None) -> bytes:
        """Another certificate in the server's files; in PEM."""
        certificate, key = (authority or self.authority).certificate("replica", dns_names=["localhost"])
        (self.folder / "tls.crt").write_bytes(certificate.read_bytes())
        (self.folder / "tls.key").write_bytes(key)
        return certificate.read_bytes()

    def certificates(
        self, files: TlsFiles | None = None, *, clock: Clock = time.time, reload_seconds: float = 3600
    ) -> ServerCertificates:
        """What a server is given; as it stands, it looks at its files when it is told to."""
        return ServerCertificates(files or self.files, health=self.health, clock=clock, reload_seconds=reload_seconds)

    def client(self, name: str = "envoy", authority: CertificateAuthority | None = None, **names: Any) -> ClientTls:
        """One with a certificate of the authority."""
        certificate, key = (authority or self.authority).certificate(name, **names)
        trusted = self.authority.ca_file.read_bytes()
        return ClientTls(authorities=trusted, certificate=certificate.read_bytes(), key=key)

    def gateway(self) -> ClientTls:
        """One that may call."""
        return self.client(dns_names=[GATEWAY])

    async def shown(self, port: int) -> bytes:
        """The certificate that the server shows in a new handshake, in PEM."""
        certificate, key = self.authority.certificate("looker", dns_names=[GATEWAY])
        key_file = certificate.with_suffix(".key")
        key_file.write_bytes(key)
        context = ssl.create_default_context(cafile=str(self.authority.ca_file))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the question is what comes, not whether it is right
        context.load_cert_chain(certificate, key_file)
        context.set_alpn_protocols(["h2"])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return ssl.DER_cert_to_PEM_cert(found).encode()


@contextlib.asynccontextmanager
async def running_tls(
    world: TlsWorld,
    certificates: ServerCertificates | None = None,
    *,
    decider: Decider | None = None,
    client_names: frozenset[str] = frozenset({GATEWAY, GATEWAY_URI}),
    options: ServerOptions | None = None,
) -> AsyncIterator[tuple[EnvoyServer, int]]:
    """A server and its port; stopped without ado."""
    servicer = AuthorizationServicer(
        Answering(
            decider=decider or Answers(open_allow()), responses=ResponseBuilder(ResponsePolicy()), budget_seconds=60
        )
    )
    server = EnvoyServer(
        address="127.0.0.1:0",
        servicer=servicer,
        health=world.health,
        options=options or ServerOptions(),
        tls=ServerTls(certificates=certificates or world.certificates(), client_names=client_names),
    )
    port = await server.start()
    try:
        yield server, port
    finally:
        await server.drain(delay_seconds=0, grace_seconds=0)


@contextlib.asynccontextmanager
async def channel(port: int, tls: ClientTls | None) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own, which gRPC shares with no other channel."""
    target, options = f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]
    if tls is None:
        made = grpc.aio.insecure_channel(target, options=options)
    else:
        credentials = grpc.ssl_channel_credentials(tls.authorities, tls.key, tls.certificate)
        made = grpc.aio.secure_channel(target, credentials, options=options)
    async with made:
        yield made
