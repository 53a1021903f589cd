"""Client secrets: how they are made, and the only form in which they are kept."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator

from extauthz.document.mistakes import Mistake
from extauthz.resident.reference import Reference, References

MIN_LENGTH = 32
"""A plain SHA-256 does not slow down guessing, so only a secret that cannot be guessed may be stored as one."""

HINT = "one of {env: NAME}, {file: PATH}, {sha256: HEX}; `extauthz resident secret` makes a secret and its SHA-256"


def new_client_secret() -> str:
    """256 random bits, in letters that need no escaping anywhere."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def secret_digest(client_secret: str) -> bytes:
    """SHA-256 of a client secret."""
    return hashlib.sha256(client_secret.encode()).digest()


def is_secret(presented: str, digest: bytes) -> bool:
    """Whether a presented secret is the one that is kept as this digest; takes the same time for any answer."""
    return hmac.compare_digest(secret_digest(presented), digest)


class SecretReference(Reference):
    """Where a client secret is, or `{sha256: HEX}`: all that the server has to know of it."""

    sha256: str | None = None

    def contradictions(self) -> Iterator[Mistake]:
        """A digest is one of SHA-256."""
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            yield Mistake(location=(), message="sha256 must be 64 hexadecimal digits")


def configured_digest(reference: SecretReference, references: References) -> bytes:
    """The digest of the secret that a configuration names.

    Raises:
        ValueError: the reference leads nowhere, or the secret is too short to be kept as SHA-256.
    """
    if reference.sha256 is not None:
        return bytes.fromhex(reference.sha256)
    client_secret = references.text(reference)
    if len(client_secret) < MIN_LENGTH:
        raise ValueError(f"the client secret has fewer than {MIN_LENGTH} characters, so its SHA-256 could be guessed")
    return secret_digest(client_secret)
