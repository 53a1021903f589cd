"""Certificates for TLS towards Envoy, under the names that the keys of Secrets have."""

from pathlib import Path

import pytest
from support.certificate_authority import CertificateAuthority

from extauthz.settings.process import Settings

NEEDS_TLS = pytest.mark.skipif(
    "tls" not in Settings.model_fields, reason="the program has no TLS towards Envoy yet; the chart is ready for it"
)


def certificates(folder: Path) -> dict[str, str]:
    """A certificate, its key and its authority under the names that Secrets have them by."""
    folder.mkdir()
    authority = CertificateAuthority(folder)
    path, key = authority.certificate("extauthz")
    chain, authorities = path.read_text(encoding="utf-8"), authority.ca_file.read_text(encoding="utf-8")
    pair = {"tls.crt": chain, "tls.key": key.decode()}
    return {**pair, "ca.crt": authorities, "chain.pem": chain, "key.pem": key.decode()}
