"""A client that signs DPoP proofs (RFC 9449 §4.2), right ones and wrong ones."""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from jwt import api_jws
from support.signing_keys import SigningKey, private_key

from extauthz.oauth2.jwk import thumbprint


class DpopClient:
    """Holds a key; its proofs are right unless a test says otherwise."""

    def __init__(self, alg: str = "ES256", *, clock: Callable[[], float] = time.time) -> None:
        self._key = SigningKey(kid="client", alg=alg, private_key=private_key(alg, "dpop client"))
        self._clock = clock

    @property
    def jkt(self) -> str:
        """What a token of this client is bound to."""
        return thumbprint(self._key.private_key.public_key())

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, without the members that a set of keys adds."""
        return {name: value for name, value in self._key.jwk().items() if name not in {"kid", "alg", "use"}}

    def proof(
        self,
        token: str,
        *,
        method: str = "GET",
        uri: str = "https://api.example.com/petstore/v1/pets",
        header: dict[str, Any] | None = None,
        alg: str | None = None,
        key: Any = None,
        **claims: Any,
    ) -> str:
        """A proof for a request. A header or claim that is given replaces the right one; None leaves it out."""
        right = {"jti": uuid.uuid4().hex, "htm": method, "htu": uri, "iat": int(self._clock()), "ath": ath(token)}
        payload = _without_none(right | claims)
        headers = _without_none({"typ": "dpop+jwt", "jwk": self.jwk} | (header or {}))
        return api_jws.encode(
            json.dumps(payload).encode(), key or self._key.private_key, algorithm=alg or self._key.alg, headers=headers
        )


def ath(token: str) -> str:
    """The hash of a token (RFC 9449 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii")).digest()).rstrip(b"=").decode()


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
