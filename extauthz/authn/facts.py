"""Token facts from what an issuer signed or said."""

from extauthz.authn.current import believe_until
from extauthz.model.errors import Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.oauth2.claims import client_id, registered_claims, scopes
from extauthz.oauth2.introspection import IntrospectionResponse
from extauthz.oauth2.jwt import SignedClaims

_INTROSPECTION_CLIENT_ID = "client_id"
"""RFC 7662 §2.2 names it; `azp` is a JWT's."""


class FactMaker:
    """Turns an issuer's word into facts, and fixes until when they may be believed."""

    def __init__(self, *, ttl_seconds: float, negative_ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._negative_ttl_seconds = negative_ttl_seconds

    def from_jwt(self, signed: SignedClaims, key_manager: KeyManager, now: float) -> TokenFacts:
        """Facts of a JWT whose signature was verified.

        Raises:
            Denied: invalid_token, a claim that is missing or malformed.
        """
        claims = signed.claims
        registered = registered_claims(claims, exp_required=True)
        until = believe_until(registered.exp, key_manager, now, self._ttl_seconds)
        if until <= now:
            return self.refused(TokenForm.JWT, Reason.TOKEN_EXPIRED, now)
        return TokenFacts(
            form=TokenForm.JWT,
            believe_until=until,
            issuer=registered.iss,
            subject=registered.sub,
            client_id=client_id(claims, key_manager.client_id_claim),
            scopes=scopes(claims, key_manager.scopes_claim),
            audiences=registered.aud,
            expires_at=registered.exp,
            not_before=registered.nbf,
            issued_at=registered.iat,
            token_type=signed.typ,
            token_id=registered.jti,
            signing_key=signed.key_thumbprint,
            claims=claims,
        )

    def from_introspection(self, response: IntrospectionResponse, key_manager: KeyManager, now: float) -> TokenFacts:
        """Facts of an introspection answer; anything but an active token is a negative fact.

        Raises:
            Denied: invalid_token, a member of the answer is malformed.
        """
        if not response.active:
            return self.refused(TokenForm.INTROSPECTED, Reason.TOKEN_INACTIVE, now)
        claims = response.claims
        registered = registered_claims(claims, exp_required=False)
        until = believe_until(registered.exp, key_manager, now, self._ttl_seconds)
        if until <= now:
            return self.refused(TokenForm.INTROSPECTED, Reason.TOKEN_EXPIRED, now)
        token_type = claims.get("token_type")
        return TokenFacts(
            form=TokenForm.INTROSPECTED,
            believe_until=until,
            issuer=registered.iss,
            subject=registered.sub,
            client_id=client_id(claims, key_manager.client_id_claim or _INTROSPECTION_CLIENT_ID),
            scopes=scopes(claims, key_manager.scopes_claim),
            audiences=registered.aud,
            expires_at=registered.exp,
            not_before=registered.nbf,
            issued_at=registered.iat,
            token_type=token_type if isinstance(token_type, str) else None,
            token_id=registered.jti,
            claims=claims,
        )

    def refused(self, form: TokenForm, reason: Reason, now: float) -> TokenFacts:
        """A negative fact, believed for a short time."""
        return TokenFacts(form=form, believe_until=now + self._negative_ttl_seconds, refusal=reason)
