"""Who may change something through the operations port."""

import base64
import binascii
import hmac
from typing import Protocol


class Credentials(Protocol):
    """What a caller must show."""

    challenge: str
    """For `WWW-Authenticate` (RFC 9110 §11.6.1)."""

    def accept(self, authorization: str) -> bool:
        """Whether an Authorization header shows it."""
        ...


class BearerSecret:
    """A shared secret as a bearer token (RFC 6750 §2.1)."""

    challenge = 'Bearer realm="extauthz operations"'

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def accept(self, authorization: str) -> bool:
        """See `Credentials`; takes the same time for every wrong secret of one length."""
        scheme, _, token = authorization.partition(" ")
        return hmac.compare_digest(token.strip(" ").encode(), self._secret) and scheme.lower() == "bearer"


class BasicCredentials:
    """A user name and a password (RFC 7617)."""

    challenge = 'Basic realm="extauthz operations", charset="UTF-8"'

    def __init__(self, username: str, password: bytes) -> None:
        self._expected = username.encode() + b":" + password

    def accept(self, authorization: str) -> bool:
        """See `Credentials`."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded.strip(" "), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._expected) and scheme.lower() == "basic"
