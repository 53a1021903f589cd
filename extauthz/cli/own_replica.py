"""A replica of whom the settings are at hand: where it is reached on its own machine, and by which TLS."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from extauthz.cli.errors import bad_input
from extauthz.cli.tls_options import TlsOptions, authorities
from extauthz.envoy_client.client import ClientTls
from extauthz.model.host_port import address_here
from extauthz.settings.process import Settings
from extauthz.settings.server import TlsSettings


def own_tls(settings: Settings, folder: Path, options: TlsOptions) -> ClientTls | None:
    """TLS as the settings have it, with what the options say instead; None: in the clear. Files are in `folder`.

    Without `--ca`, the very certificate of the settings is trusted and no other; a name is then no proof of anything,
    so that of the certificate is asked for.

    Raises:
        typer.Exit: the options contradict the settings, something is missing, or a file is of no use.
    """
    tls = settings.tls
    if tls is None:
        if options:
            raise bad_input("--ca, --cert, --key and --server-name: the settings have no `tls`")
        return None
    chain, key = options.shown()
    if chain is None and tls.client_ca is not None:
        raise bad_input(_wanted(tls, settings.operations.listen))
    if options.ca is not None:
        trusted, name = authorities(options.ca), options.server_name
    else:
        leaf = x509.load_pem_x509_certificates(authorities(folder / tls.certificate))[0]
        # Without its chain: all that an authority in there has signed would be trusted as well.
        trusted, name = leaf.public_bytes(Encoding.PEM), options.server_name or _name(leaf)
    return ClientTls(authorities=trusted, certificate=chain, key=key, server_name=name)


def _wanted(tls: TlsSettings, operations: str) -> str:
    return (
        "it answers nobody without a certificate (`tls.client_ca`): give --cert and --key, a certificate from "
        f"{tls.client_ca} with one of the names {', '.join(sorted(tls.client_names))}; or ask where none is needed: "
        f"--operations {address_here(operations)} without --config"
    )


def _name(certificate: x509.Certificate) -> str | None:
    """One that it has; None: it has none of a host."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return None
    # A wildcard is no name; any that it stands for is as good.
    names = [name.replace("*", "extauthz") for name in extension.value.get_values_for_type(x509.DNSName)]
    addresses = map(str, extension.value.get_values_for_type(x509.IPAddress))
    return next(iter([*names, *addresses]), None)
