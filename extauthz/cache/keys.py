"""Keys derived from `cache.secret`, one for each purpose; the names of tokens, and the cache keys of their facts."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from extauthz.cache.secret_keys import derived_keys, joined
from extauthz.model.secret_fields import SecretFields

_TOKEN_NAME = b"extauthz cache: name of a token, version 2"
_PLACE_NAME = b"extauthz cache: name of a key manager, version 2"
_SEALING = b"extauthz cache: sealing of facts, version 1"

_NAME_BYTES = 32
_PLACE_BYTES = 16
_PLACES = 16_384


class NamedToken(SecretFields, frozen=True):
    """A token with its name. Only `CacheKeys.named` makes them, so that no name is another token's."""

    hidden = frozenset({"value", "name"})

    value: str
    name: bytes
    """32 bytes that stand for the token."""


class CacheKeys:
    """Names tokens without being them, and holds the keys that seal what is known about them.

    The first secret names and seals; every secret opens. A new first secret therefore also renames every token: the
    entries of before are not met again, which costs each token one question to its issuer.

    Raises:
        ValueError: no secret, or one shorter than `secret_keys.MIN_SECRET_BYTES`.
    """

    __slots__ = ("_places", "_token_name", "sealing")

    def __init__(self, secrets: Sequence[bytes]) -> None:
        # BLAKE2 has a keyed mode (RFC 7693 §2.9), which needs one pass where HMAC needs two. A copy of one that has
        # taken in its key saves a fifth of the time again.
        self._token_name = blake2b(key=derived_keys(secrets, _TOKEN_NAME)[0], digest_size=_NAME_BYTES)
        place_key = derived_keys(secrets, _PLACE_NAME)[0]

        def place(organization: str, key_manager: str, fingerprint: bytes) -> bytes:
            parts = joined(organization, key_manager, fingerprint)
            return blake2b(parts, key=place_key, digest_size=_PLACE_BYTES).digest()

        # One for each key manager, and asked for on every Check.
        self._places = lru_cache(maxsize=_PLACES)(place)
        self.sealing = derived_keys(secrets, _SEALING)
        """256-bit keys; the first seals, all open."""

    def named(self, token: str) -> NamedToken:
        """A token with its name: all that is looked up about it starts from this one hash."""
        name = self._token_name.copy()
        name.update(token.encode("utf-8", "surrogatepass"))
        return NamedToken(token, name.digest())

    def token_key(self, organization: str, key_manager: str, fingerprint: bytes, token: NamedToken) -> bytes:
        """48 bytes that stand for a token at a key manager with these validation settings.

        The first 16 name the key manager and its settings, the others the token. Whoever reads them sees which keys are
        of one token or of one key manager, and neither which token nor which key manager that is.
        """
        return self._places(organization, key_manager, fingerprint) + token.name
