"""An Envoy whose listener asks clients for certificates, and clients that show them."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from support.certificate_authority import CertificateAuthority

from extauthz.cli.demo.envoy_bootstrap import Bootstrap, connection_manager, ext_authz
from extauthz.oauth2 import base64url

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
FORWARDED_HEADER = "x-forwarded-client-cert"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsClient:
    """A client with a certificate of its own."""

    certificate_file: Path
    context: ssl.SSLContext

    @property
    def x5t_s256(self) -> str:
        """What a token of this client is bound to, computed by another library than the one under test."""
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        return base64url.encode(certificate.fingerprint(hashes.SHA256()))

    @property
    def forwarded(self) -> str:
        """An element that names its certificate."""
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        pem = quote(self.certificate_file.read_text(encoding="ascii"), safe="")
        return f'Hash={certificate.fingerprint(hashes.SHA256()).hex()};Cert="{pem}"'

    async def get(self, url: str, *headers: tuple[str, str]) -> tuple[int, dict[str, str]]:
        """Status and headers of an answer."""
        connector = aiohttp.TCPConnector(ssl=self.context)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(url, headers=headers) as response,
        ):
            return response.status, {name.lower(): value for name, value in response.headers.items()}


def tls_client(authority: CertificateAuthority, name: str) -> TlsClient:
    """A client with a certificate of the authority."""
    certificate_file, key_file = _files(authority, name)
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.load_cert_chain(certificate_file, key_file)
    return TlsClient(certificate_file=certificate_file, context=context)


def ask_for_certificates(bootstrap: Bootstrap, authority: CertificateAuthority) -> None:
    """The listener takes TLS only, from clients with a certificate of the authority."""
    certificate_file, key_file = _files(authority, "envoy")
    context: dict[str, Any] = {
        "tls_certificates": [
            {"certificate_chain": {"filename": str(certificate_file)}, "private_key": {"filename": str(key_file)}}
        ],
        "validation_context": {"trusted_ca": {"filename": str(authority.ca_file)}},
        "alpn_protocols": ["http/1.1"],
    }
    chain = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]
    chain["transport_socket"] = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": _TLS, "require_client_certificate": True, "common_tls_context": context},
    }


def send_the_peer_certificate(bootstrap: Bootstrap) -> None:
    """To extauthz, in `attributes.source.certificate`."""
    ext_authz(bootstrap)["include_peer_certificate"] = True


def forward_the_client_certificate(bootstrap: Bootstrap, how: str) -> None:
    """In `x-forwarded-client-cert`, which extauthz sees."""
    connection_manager(bootstrap)["forward_client_cert_details"] = how
    connection_manager(bootstrap)["set_current_client_cert_details"] = {"subject": True, "cert": True, "uri": True}
    ext_authz(bootstrap)["allowed_headers"]["patterns"].append({"exact": FORWARDED_HEADER})


def _files(authority: CertificateAuthority, name: str) -> tuple[Path, Path]:
    certificate_file, key = authority.certificate(name)
    key_file = certificate_file.with_suffix(".key")
    key_file.write_bytes(key)
    return certificate_file, key_file
