"""Options of commands that speak to a replica over gRPC."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from extauthz.cli.errors import bad_input, files_of_options
from extauthz.envoy.tls_files import TlsFiles, TlsFilesError, read_tls
from extauthz.envoy_client.client import ClientTls

Authorities = Annotated[
    Path | None, typer.Option("--ca", help="TLS: PEM file of the authorities that the replica's certificate is from.")
]
Certificate = Annotated[
    Path | None, typer.Option("--cert", help="Mutual TLS: PEM file with a certificate of a gateway, and its chain.")
]
Key = Annotated[Path | None, typer.Option("--key", help="Mutual TLS: PEM file with the key of --cert.")]
ServerName = Annotated[
    str | None,
    typer.Option("--server-name", help="TLS: the name in its certificate, if not that of --address."),
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, max=600, help="Seconds to wait for an answer.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """What was given of them."""

    ca: Path | None
    cert: Path | None
    key: Path | None
    server_name: str | None

    def __bool__(self) -> bool:
        """Whether anything was."""
        return any(given is not None for given in (self.ca, self.cert, self.key, self.server_name))

    def client_tls(self) -> ClientTls | None:
        """What they say; None: in the clear.

        Raises:
            typer.Exit: they contradict each other, or a file is of no use.
        """
        chain, key = self.shown()
        if self.ca is None:
            if self:
                raise bad_input("--cert, --key and --server-name go with --ca")
            return None
        return ClientTls(authorities=authorities(self.ca), certificate=chain, key=key, server_name=self.server_name)

    def shown(self) -> tuple[bytes | None, bytes | None]:
        """The certificate that we show, and its key.

        Raises:
            typer.Exit: one is missing, they cannot be read, or do not belong together.
        """
        if (self.cert is None) != (self.key is None):
            raise bad_input("give both of --cert and --key, or none")
        if self.cert is None or self.key is None:
            return None, None
        try:
            # Looked at here: gRPC would only say that there is no connection.
            material = read_tls(TlsFiles(certificate=self.cert, key=self.key), time.time())
        except TlsFilesError as error:
            raise bad_input(str(error)) from error
        return material.chain, material.key


def authorities(path: Path) -> bytes:
    """The content of a file of authorities.

    Raises:
        typer.Exit: it cannot be read, or has no certificate.
    """
    with files_of_options():
        content = path.read_bytes()
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise bad_input(f"{path} has no certificate in PEM") from error
    return content
