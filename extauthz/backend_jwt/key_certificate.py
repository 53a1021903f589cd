"""The certificate of a key, for upstreams that find keys by certificates (RFC 7515 §4.1.8, RFC 7517 §4.7, §4.9)."""

import base64

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from extauthz.oauth2 import base64url
from extauthz.oauth2.jwk import PublicKey


class KeyCertificate:
    """A PEM certificate, the chain behind it if there is one; its dates and issuer are the upstream's to judge.

    Raises:
        ValueError: no PEM certificate.
    """

    __slots__ = ("_first", "header", "jwk_members")

    def __init__(self, pem: bytes) -> None:
        try:
            chain = x509.load_pem_x509_certificates(pem)
        except ValueError as exc:
            raise ValueError("not a PEM certificate") from exc
        self._first = chain[0]
        self.header = {"x5t#S256": base64url.encode(self._first.fingerprint(SHA256()))}
        """What it adds to a JOSE header."""
        # RFC 7517 §4.7: base64 of the DER, not base64url.
        ders = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in chain]
        self.jwk_members = {**self.header, "x5c": ders}
        """What it adds to the key's JWK."""

    def ensure_holds(self, public_key: PublicKey) -> None:
        """It is the certificate of this key.

        Raises:
            ValueError: it is another's.
        """
        try:
            held: object = self._first.public_key()
        except (ValueError, UnsupportedAlgorithm):
            held = None
        if held != public_key:
            raise ValueError("the certificate is not that of the key")
