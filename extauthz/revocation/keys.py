"""Keys derived from `revocation.secret`: the names of revocations, and the proof that an entry was made by us."""

import hmac
import math
import struct
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from extauthz.cache.secret_keys import derived_keys, joined
from extauthz.revocation.revocation import Entry, Revocation, RevocationForm

_NAME = b"extauthz revocation: name of an entry, version 2"
_PROOF = b"extauthz revocation: proof of an entry, version 2"
_VERSION = b"\x02"
_BODY = struct.Struct(">c32sdd")
_PROOF_BYTES = 32
_NAME_BYTES = 32
_PLACES = 16_384
_TOKEN = RevocationForm.TOKEN


class RevocationKeys:
    """The first secret makes names and proofs, every one of them matches.

    They have nothing to do with `cache.secret`: a cache that forgets loses time, a revocation that is forgotten lets a
    stolen token live.

    Raises:
        ValueError: no secret, or one shorter than `secret_keys.MIN_SECRET_BYTES`.
    """

    __slots__ = ("_begun", "_proofs")

    def __init__(self, secrets: Sequence[bytes]) -> None:
        name_keys = derived_keys(secrets, _NAME)

        def begun(organization: str, key_manager: str, form: RevocationForm) -> tuple[blake2b, ...]:
            """Hashes, one of each secret, that lack only the value: it comes last, so it needs no length before it."""
            parts = joined(organization, key_manager, form.value)
            return tuple(blake2b(parts, key=key, digest_size=_NAME_BYTES) for key in name_keys)

        # As soon as anything is revoked, each Check looks for four names.
        self._begun = lru_cache(maxsize=_PLACES)(begun)
        self._proofs = derived_keys(secrets, _PROOF)

    def name(self, revocation: Revocation) -> bytes:
        """The 32 bytes under which a revocation is published."""
        scope = (revocation.organization, revocation.key_manager)
        return self.names(scope, revocation.form, revocation.value)[0]

    def names(self, scope: tuple[str, str], form: RevocationForm, value: str) -> tuple[bytes, ...]:
        """All names that a revocation may have been published under; `scope` is (organization, key manager)."""
        octets = (fingerprinted(value) if form is _TOKEN else value).encode("utf-8", "surrogatepass")
        names = []
        for begun in self._begun(*scope, form):
            name = begun.copy()
            name.update(octets)
            names.append(name.digest())
        return tuple(names)

    def prove(self, entry: Entry) -> bytes:
        """The entry as bytes that only a holder of the secret can make."""
        issued_until = math.nan if entry.issued_until is None else entry.issued_until
        body = _BODY.pack(_VERSION, entry.name, issued_until, entry.keep_until)
        return body + hmac.digest(self._proofs[0], body, "sha256")

    def proven(self, document: bytes) -> Entry | None:
        """The entry, or None for bytes that no holder of the secret made."""
        body, proof = document[:-_PROOF_BYTES], document[-_PROOF_BYTES:]
        if len(body) != _BODY.size or not body.startswith(_VERSION):
            return None
        if not any(hmac.compare_digest(hmac.digest(key, body, "sha256"), proof) for key in self._proofs):
            return None
        _, name, issued_until, keep_until = _BODY.unpack(body)
        return Entry(name=name, issued_until=None if math.isnan(issued_until) else issued_until, keep_until=keep_until)


def fingerprinted(token: str) -> str:
    """The part of a token that whoever holds it cannot change.

    Of a signed JWT that is what was signed: an ECDSA signature has a second form that is as valid as the first, so the
    same token would pass under another spelling.
    """
    # "ey" and "ew": a JSON object that goes on with a quotation mark or a space, with a line end or a tab.
    return token.rpartition(".")[0] if token.count(".") == 2 and token.startswith(("ey", "ew")) else token  # noqa: PLR2004 - RFC 7515 §3.1
