"""Options of commands that speak to a replica over gRPC."""

from pathlib import Path
from typing import Annotated

import typer

from extauthz.cli.errors import bad_input
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


def client_tls(ca: Path | None, cert: Path | None, key: Path | None, server_name: str | None) -> ClientTls | None:
    """What the options say; None: in the clear.

    Raises:
        typer.Exit: they contradict each other, or a file cannot be read.
    """
    if (cert is None) != (key is None):
        raise bad_input("give both of --cert and --key, or none")
    if ca is None:
        if cert is not None or server_name is not None:
            raise bad_input("--cert, --key and --server-name go with --ca")
        return None
    return ClientTls(authorities=_content(ca), certificate=_content(cert), key=_content(key), server_name=server_name)


def _content(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad_input(f"{path} cannot be read: {error.strerror}") from error
