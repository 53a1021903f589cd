"""The server's certificate, which changes with its files and without a restart."""

import asyncio
from collections.abc import Callable
from typing import cast

import grpc
import structlog

from extauthz.envoy.tls_files import TlsFiles, TlsFilesError, TlsMaterial, moment, read_tls
from extauthz.model.clock import Clock
from extauthz.telemetry.health import Health

TLS_COMPONENT = "tls"
"""Not well: its files cannot be used and those from before go on, or the certificate has ended."""

_log = structlog.get_logger(__name__)


class ServerCertificates:
    """What handshakes use: always something that could be used when it was read."""

    def __init__(self, files: TlsFiles, *, health: Health, clock: Clock, reload_seconds: float) -> None:
        """Reads the files; `health` has `TLS_COMPONENT` from now on.

        Raises:
            TlsFilesError: they cannot be used.
        """
        self._files = files
        self._health = health
        self._clock = clock
        self._reload_seconds = reload_seconds
        self._material = self._handed_over = read_tls(files, clock())
        self._problem = ""
        health.add(TLS_COMPONENT)
        self._report()

    def credentials(self) -> grpc.ServerCredentials:
        """For a port. gRPC speaks TLS 1.2 and 1.3, and nothing older."""
        required = self._files.client_ca is not None
        # The annotation of a foreign stub: None is "no change", says gRPC's documentation.
        changed = cast("Callable[[], grpc.ServerCertificateConfiguration]", self._changed)
        return grpc.dynamic_ssl_server_credentials(_configuration(self._material), changed, required)

    async def follow(self) -> None:
        """Looks at the files until cancelled."""
        while True:
            await asyncio.sleep(self._reload_seconds)
            await self.refresh()

    async def refresh(self) -> None:
        """Takes over what is in the files; what cannot be used is told once, and the old goes on."""
        problem = ""
        try:
            # In a thread: files may hang, and a key takes milliseconds.
            material = await asyncio.to_thread(read_tls, self._files, self._clock())
        except TlsFilesError as error:
            problem = str(error)
            if problem != self._problem:
                _log.error("tls_files_refused", problem=problem)
        else:
            if material != self._material:
                self._material = material
                _log.info("tls_files_changed", ends_at=moment(material.ends_at))
        self._problem = problem
        self._report()

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        # Called by gRPC before each handshake, in a thread of its own.
        material = self._material
        if material is self._handed_over:
            return None
        self._handed_over = material
        return _configuration(material)

    def _report(self) -> None:
        ends_at = self._material.ends_at
        held = f"the certificate {'ends' if ends_at > self._clock() else 'has ended'} at {moment(ends_at)}"
        detail = f"{self._problem}; the files from before go on: {held}" if self._problem else held
        self._health.report(TLS_COMPONENT, ok=not self._problem and ends_at > self._clock(), detail=detail)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    pair = (material.key, material.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=material.client_ca)
