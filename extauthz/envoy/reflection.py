"""gRPC reflection: tools such as `grpcurl` learn the messages of Check from the server itself."""

from collections.abc import Iterable

import grpc
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, enable_server_reflection


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Adds the service (`grpc.reflection.v1alpha`), which tells of these services and of itself."""
    enable_server_reflection((*services, SERVICE_NAME), server)
