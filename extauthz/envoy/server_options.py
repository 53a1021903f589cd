"""The limits of the gRPC server, as gRPC wants them."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What one connection may cost, and how long it lives."""

    max_connection_age_seconds: float = 600.0
    """Then a connection is told to go (GOAWAY), so that Envoys find replicas that came later. gRPC spreads it by 10 %
    either way, so that not all go at once."""
    max_connection_age_grace_seconds: float = 60.0
    """How long calls on such a connection may still take; must be longer than any Check."""
    keepalive_seconds: float = 60.0
    """Of silence, before a connection is asked for a sign of life, which must come within 20 s."""
    max_concurrent_streams: int = 1000
    """Calls at a time on one connection; Envoy opens another one for more."""
    max_message_bytes: int = 16 * _MIB
    """Twice the most that Envoy takes as request headers (`max_request_headers_kb`, 8192 at most). A longer message is
    answered with a failed call, which `failure_mode_allow` lets pass, so the limit must lie above what can come."""
    max_metadata_bytes: int = 128 * 1024
    """Of a call itself, beside its message. Envoy adds trace headers there, and a client has a hand in `tracestate`:
    twice the 60 KiB of headers that Envoy takes by default."""
    reflection: bool = False
    """Whether tools may ask for the messages."""
    socket_mode: int | None = None
    """Permissions of a Unix socket; None: what the umask leaves."""
    reuse_port: bool = False
    """Whether other processes that want it as well may listen on the same port. Never unnoticed: kernels spread
    connections over them, not requests."""

    def channel_arguments(self) -> tuple[tuple[str, int], ...]:
        """By gRPC's names."""
        return (
            ("grpc.so_reuseport", int(self.reuse_port)),
            ("grpc.max_connection_age_ms", _milliseconds(self.max_connection_age_seconds)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(self.max_connection_age_grace_seconds)),
            # Finds out that an Envoy is gone without a goodbye.
            ("grpc.keepalive_time_ms", _milliseconds(self.keepalive_seconds)),
            ("grpc.keepalive_timeout_ms", 20_000),
            # Envoy may ping an idle connection (`connection_keepalive`): by itself gRPC would close it.
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.max_concurrent_streams", self.max_concurrent_streams),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            # Both: between them gRPC refuses at random.
            ("grpc.max_metadata_size", self.max_metadata_bytes),
            ("grpc.absolute_max_metadata_size", self.max_metadata_bytes),
        )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


DEFAULT_OPTIONS = ServerOptions()
