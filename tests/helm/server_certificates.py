"""Certificates for TLS towards Envoy, under the names that the keys of Secrets have."""

from pathlib import Path

from support.certificate_authority import CertificateAuthority

CLIENT_NAME = "gateway.example.com"
"""A name that all of them have."""


def certificates(folder: Path) -> dict[str, str]:
    """A certificate, its key and its authority under the names that Secrets have them by."""
    folder.mkdir()
    authority = CertificateAuthority(folder)
    path, key = authority.certificate("extauthz", dns_names=[CLIENT_NAME])
    chain, authorities = path.read_text(encoding="utf-8"), authority.ca_file.read_text(encoding="utf-8")
    pair = {"tls.crt": chain, "tls.key": key.decode()}
    return {**pair, "ca.crt": authorities, "chain.pem": chain, "key.pem": key.decode()}
