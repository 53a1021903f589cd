"""What upstreams need to verify backend JWTs: the public keys, as a JWK set."""

from collections.abc import Iterable
from typing import Any, NewType

from extauthz.backend_jwt.signing_key import SigningKey

JwkSet = NewType("JwkSet", dict[str, list[dict[str, Any]]])
"""RFC 7517 §5, ready for JSON."""


def jwk_set(keys: Iterable[SigningKey]) -> JwkSet:
    """The public halves, each once, in the order given.

    More than one during a rotation: the next key is published before it signs, the last one until its JWTs have ended.
    """
    by_kid = {key.kid: dict(key.public_jwk) for key in keys}
    return JwkSet({"keys": list(by_kid.values())})
