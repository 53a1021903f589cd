"""What the settings say about the gRPC server, in its own words."""

from pathlib import Path

from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.envoy.server import ServerTls
from extauthz.envoy.server_options import ServerOptions
from extauthz.envoy.tls_certificates import ServerCertificates
from extauthz.envoy.tls_files import TlsFiles, TlsFilesError
from extauthz.model.clock import Clock
from extauthz.settings.server import GrpcSettings, TlsSettings
from extauthz.telemetry.health import Health


def server_tls(tls: TlsSettings, health: Health, folder: Path, clock: Clock) -> ServerTls:
    """Reads the files, which are relative to `folder`; `health` has a component more from now on.

    Raises:
        DocumentError: they cannot be used.
    """
    files = TlsFiles(
        certificate=folder / tls.certificate,
        key=folder / tls.key,
        client_ca=folder / tls.client_ca if tls.client_ca is not None else None,
    )
    try:
        read = ServerCertificates(files, health=health, clock=clock, reload_seconds=tls.reload_seconds)
    except TlsFilesError as error:
        raise DocumentError("settings", [Mistake(location=("tls",), message=str(error))]) from error
    return ServerTls(certificates=read, client_names=tls.client_names)


def server_options(grpc: GrpcSettings) -> ServerOptions:
    """Limits and the like."""
    return ServerOptions(
        max_connection_age_seconds=grpc.max_connection_age_seconds,
        max_connection_age_grace_seconds=grpc.max_connection_age_grace_seconds,
        keepalive_seconds=grpc.keepalive_seconds,
        max_concurrent_streams=grpc.max_concurrent_streams,
        max_message_bytes=grpc.max_message_bytes,
        max_metadata_bytes=grpc.max_metadata_bytes,
        reflection=grpc.reflection,
        socket_mode=int(grpc.socket_mode, 8) if grpc.socket_mode is not None else None,
    )
