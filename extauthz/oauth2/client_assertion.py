"""Proving who we are by a signed assertion: `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core 1.0 §9)."""

import json
import secrets
from dataclasses import dataclass, field

from extauthz.model.clock import Clock
from extauthz.oauth2.client_authentication import ClientProof, NothingToClose
from extauthz.oauth2.jws import signed
from extauthz.oauth2.private_key import PrivateKey

CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_SECONDS = 60
"""It is sent at once; the rest is for clocks that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAssertion(NothingToClose):
    """Signs a new assertion for every request: a server may refuse one that it has seen (RFC 7523 §3, `jti`)."""

    client_id: str
    audience: str
    key: PrivateKey = field(repr=False)
    algorithm: str
    kid: str | None
    clock: Clock

    async def prove(self, endpoint: str) -> ClientProof:  # noqa: ARG002 - the audience is configured
        """The form parameters; `client_id` is sent as well, which RFC 7521 §4.2 allows and some servers need."""
        return ClientProof(
            form={
                "client_id": self.client_id,
                "client_assertion_type": CLIENT_ASSERTION_TYPE,
                "client_assertion": self._assertion(),
            }
        )

    def _assertion(self) -> str:
        now = int(self.clock())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        header = {"typ": "JWT"} if self.kid is None else {"typ": "JWT", "kid": self.kid}
        return signed(json.dumps(claims).encode(), self.key, self.algorithm, header)
