"""Facts as they leave the process: JSON, sealed with AES-256-GCM-SIV to the key they are stored under."""

import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from extauthz.model.errors import Reason
from extauthz.model.token import TokenFacts, TokenForm

_VERSION = b"\x02"
"""Of the whole record: whoever changes what it holds, or in which order, takes another."""
_PURPOSE = b"token facts"
_NONCE_BYTES = 12


class FactsSealer:
    """Seals with the first key, opens with any (`CacheKeys.sealing`).

    The cache key is associated data, so an entry that is moved under another key does not open. AES-GCM-SIV
    (RFC 8452) survives a repeated nonce, so random ones are safe over every replica.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = tuple(AESGCMSIV(key) for key in keys)

    def seal(self, key: bytes, facts: TokenFacts) -> bytes | None:
        """The sealed facts; None when they hold what the format cannot, and so cannot be shared."""
        plain = _written(facts)
        if plain is None:
            return None
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._ciphers[0].encrypt(nonce, plain, _associated(key))

    def open(self, key: bytes, sealed: bytes) -> TokenFacts | None:
        """The facts; None for everything that was not sealed by one of the keys for this cache key."""
        if not sealed.startswith(_VERSION):
            return None
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        for cipher in self._ciphers:
            try:
                plain = cipher.decrypt(nonce, ciphertext, _associated(key))
            except (InvalidTag, ValueError):  # ValueError: cut short
                continue
            return _read(plain)
        return None


def _associated(key: bytes) -> bytes:
    return _VERSION + _PURPOSE + key


def _written(facts: TokenFacts) -> bytes | None:
    """A list, in the order of `_read`: one JSON text is read faster than a message with the claims as JSON inside."""
    members = (
        facts.form,
        facts.believe_until,
        facts.refusal,
        facts.issuer,
        facts.subject,
        facts.client_id,
        list(facts.scopes),
        list(facts.audiences),
        facts.expires_at,
        facts.not_before,
        facts.issued_at,
        facts.token_type,
        facts.token_id,
        facts.signing_key,
        dict(facts.claims),
    )
    try:
        return json.dumps(members, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError):  # claims of no JSON, or nested too deeply to be written
        return None


def _read(plain: bytes) -> TokenFacts | None:
    """Sealed by one of us, but perhaps by another version: what it does not know is a miss."""
    try:
        (
            form,
            believe_until,
            refusal,
            issuer,
            subject,
            client_id,
            scopes,
            audiences,
            expires_at,
            not_before,
            issued_at,
            token_type,
            token_id,
            signing_key,
            claims,
        ) = json.loads(plain)
        if not isinstance(claims, dict):
            return None
        return TokenFacts(
            form=TokenForm(form),
            believe_until=float(believe_until),
            refusal=None if refusal is None else Reason(refusal),
            issuer=issuer,
            subject=subject,
            client_id=client_id,
            scopes=frozenset(scopes),
            audiences=frozenset(audiences),
            expires_at=expires_at,
            not_before=not_before,
            issued_at=issued_at,
            token_type=token_type,
            token_id=token_id,
            signing_key=signing_key,
            claims=claims,
        )
    except (TypeError, ValueError, RecursionError):
        return None
