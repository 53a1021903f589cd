"""API keys by their hashes: what the catalog knows of them (docs/decisions/0011)."""

import re
import secrets as randomness
from collections.abc import Sequence

from extauthz.cache.secret_keys import derived_keys, keyed_name
from extauthz.oauth2 import base64url

PREFIX = "xk_"
"""So that whoever finds a key, a scanner of repositories for example, knows what it is."""
_RANDOM_BYTES = 32
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{42}}[AEIMQUYcgkosw048]")
_HASHING = b"extauthz api keys: hashing, version 1"
_PURPOSE = "api key"


def new_api_key() -> str:
    """A key that nobody had before: 256 random bits."""
    return PREFIX + base64url.encode(randomness.token_bytes(_RANDOM_BYTES))


def is_api_key(value: str) -> bool:
    """Whether a text has the form of a key; of such a length that it costs nothing to hash."""
    return _FORM.fullmatch(value) is not None


class ApiKeyHashes:
    """Hashes keys under each secret: the first makes entries of the catalog, all are looked for.

    Raises:
        ValueError: no secret, or one shorter than `secret_keys.MIN_SECRET_BYTES`.
    """

    __slots__ = ("_keys",)

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = derived_keys(secrets, _HASHING)

    def of(self, api_key: str) -> tuple[bytes, ...]:
        """The hashes that a key may stand under."""
        return tuple(keyed_name(key, _PURPOSE, api_key) for key in self._keys)

    def entry(self, api_key: str) -> str:
        """The `hash` of a key in the catalog."""
        return base64url.encode(keyed_name(self._keys[0], _PURPOSE, api_key))
