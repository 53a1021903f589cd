"""The certificate that the client showed, by its thumbprint: from Envoy's own connection, or from a proxy before it."""

import re
from typing import Protocol

from extauthz.authn.forwarded_client_cert import ForwardedElement, last_element
from extauthz.model.check import RequestContext
from extauthz.oauth2 import base64url
from extauthz.oauth2.certificate_binding import certificate_thumbprint

FORWARDED_HEADER = "x-forwarded-client-cert"
_SHA256_HEX = re.compile(r"[0-9A-Fa-f]{64}")


class ClientCertificate(Protocol):
    """Where the client's certificate is found."""

    def __call__(self, request: RequestContext, /) -> str | None:
        """SHA-256 of its DER, base64url (RFC 8705 §3.1); None: the client showed none, as far as is known.

        Raises:
            ValueError: something is there that is no certificate.
        """
        ...


def peer_certificate(request: RequestContext) -> str | None:
    """`attributes.source.certificate`: of the connection to Envoy, with `include_peer_certificate`."""
    return certificate_thumbprint(request.peer_certificate) if request.peer_certificate else None


def forwarded_certificate(request: RequestContext) -> str | None:
    """`x-forwarded-client-cert`: of the connection to the proxy that wrote its last element."""
    element = last_element(request.headers.get(FORWARDED_HEADER))
    if element is None:
        return None
    thumbprints = {thumbprint for thumbprint in (_of_cert(element), _of_hash(element)) if thumbprint}
    if len(thumbprints) > 1:
        raise ValueError("`Hash` is not that of `Cert`")
    return next(iter(thumbprints), None)


def _of_cert(element: ForwardedElement) -> str | None:
    return certificate_thumbprint(element.cert) if element.cert else None


def _of_hash(element: ForwardedElement) -> str | None:
    if not element.hash:
        return None
    if not _SHA256_HEX.fullmatch(element.hash):
        raise ValueError("`Hash` is not a SHA-256 in hexadecimal digits")
    return base64url.encode(bytes.fromhex(element.hash))
