"""The keys that an issuer publishes (RFC 7517 §5)."""

from dataclasses import dataclass

from extauthz.oauth2 import strict_json
from extauthz.oauth2.jwk import VerificationKey, verification_key

MAX_KEYS = 128
"""Issuers publish a handful; every key costs a parse on the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwkSet:
    """The keys of a set that can verify signatures; possibly none."""

    keys: tuple[VerificationKey, ...]
    thumbprints: frozenset[str]

    def matching(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The distinct keys that may verify a token with this header.

        `kid` None asks for every key that fits `alg`. Two entries of one key under several names count once.
        """
        fitting = (key for key in self.keys if kid in (None, key.kid) and key.fits(alg))
        return tuple({key.thumbprint: key for key in fitting}.values())


def parse_jwks(document: bytes) -> JwkSet:
    """The usable keys of a JWK set document; the others are ignored (RFC 7517 §5).

    Raises:
        ValueError: not a JSON object with a list `keys`, or more than `MAX_KEYS` of them.
    """
    jwks = strict_json.parse_object(document).get("keys")
    if not isinstance(jwks, list):
        raise ValueError("no list `keys`")  # noqa: TRY004 - a bad document, not a bad type
    # Some of the keys would mean that valid tokens fail at random, so too many are refused aloud.
    if len(jwks) > MAX_KEYS:
        raise ValueError(f"{len(jwks)} keys, more than {MAX_KEYS}")
    candidates = (verification_key(jwk) for jwk in jwks if isinstance(jwk, dict))
    keys = tuple(key for key in candidates if key is not None)
    return JwkSet(keys=keys, thumbprints=frozenset(key.thumbprint for key in keys))
