"""Keys derived from `cache.secret`, one for each purpose, and the cache key of a token."""

from collections.abc import Sequence

from extauthz.cache.secret_keys import derived_keys, keyed_name

_TOKEN_KEY = b"extauthz cache: key of a token, version 1"
_SEALING = b"extauthz cache: sealing of facts, version 1"


class CacheKeys:
    """Names tokens without being them, and holds the keys that seal what is known about them.

    The first secret names and seals; every secret opens. A new first secret therefore also renames every token: the
    entries of before are not met again, which costs each token one question to its issuer.

    Raises:
        ValueError: no secret, or one shorter than `secret_keys.MIN_SECRET_BYTES`.
    """

    __slots__ = ("_token_key", "sealing")

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._token_key = derived_keys(secrets, "cache.secret", _TOKEN_KEY)[0]
        self.sealing = derived_keys(secrets, "cache.secret", _SEALING)
        """256-bit keys; the first seals, all open."""

    def token_key(self, organization: str, key_manager: str, fingerprint: bytes, token: str) -> bytes:
        """32 bytes that stand for a token at a key manager with these validation settings."""
        return keyed_name(self._token_key, organization, key_manager, fingerprint, token)
