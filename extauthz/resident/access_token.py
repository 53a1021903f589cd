"""Access tokens: how they are made (RFC 9068, RFC 6750) and when they are active (RFC 7662 §2.2)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extauthz.model.clock import Clock
from extauthz.resident.client import Client
from extauthz.resident.signing_key import SigningKey
from extauthz.resident.token_store import IssuedToken, TokenStore, fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokens:
    """Issues, finds and revokes access tokens of both formats. Methods that need the store may raise `Unavailable`."""

    issuer: str
    audience: Sequence[str]
    default_lifetime_seconds: int
    signing_key: SigningKey
    clients: Mapping[str, Client]
    store: TokenStore
    clock: Clock

    def issue(self, client: Client, grant_type: str, user: None, scope: str) -> str:  # noqa: ARG002 - Authlib's words
        """A new token, already recorded."""
        now = int(self.clock())
        claims = self._claims(client, scope, now)
        is_jwt = client.token_format == "jwt"  # noqa: S105 - a format
        token = self.signing_key.sign("at+jwt", claims) if is_jwt else secrets.token_urlsafe(32)
        self.store.add(
            IssuedToken(
                fingerprint=fingerprint(token),
                token_id=claims["jti"],
                client_id=client.client_id,
                signing_key=self.signing_key.kid if is_jwt else None,
                issued_at=now,
                expires_at=claims["exp"],
                claims=claims,
            )
        )
        return token

    def lifetime_seconds(self, client: Client, _grant_type: str = "") -> int:
        """How long a client's tokens live."""
        return client.access_token_lifetime_seconds or self.default_lifetime_seconds

    def find_active(self, token: str) -> IssuedToken | None:
        """What is known about a token that this server stands by; None for any other.

        The whole token is looked up, not only its `jti`: nothing is active that was not issued letter by letter.
        """
        issued = self.store.find(token)
        return issued if issued and self._is_active(issued) else None

    def revoke(self, issued: IssuedToken) -> None:
        """Ends a token's life, of either format."""
        self.store.revoke(issued, int(self.clock()))

    def _is_active(self, issued: IssuedToken) -> bool:
        return (
            issued.revoked_at is None
            and issued.expires_at > self.clock()
            # What was issued under another configuration no longer verifies elsewhere, so it is not active here.
            and issued.client_id in self.clients
            and issued.claims.get("iss") == self.issuer
            and issued.signing_key in {None, self.signing_key.kid}
        )

    def _claims(self, client: Client, scope: str, now: int) -> dict[str, Any]:
        return {
            **client.claims,
            "iss": self.issuer,
            # RFC 9068 §2.2: without a resource owner the subject is the client.
            "sub": client.client_id,
            "aud": self.audience[0] if len(self.audience) == 1 else list(self.audience),
            "client_id": client.client_id,
            # Where WSO2's gateways look for the consumer key first.
            "azp": client.client_id,
            "iat": now,
            "exp": now + self.lifetime_seconds(client),
            "jti": secrets.token_urlsafe(16),
            # RFC 9068 §2.2.3: only if there is one.
            **({"scope": scope} if scope else {}),
        }
