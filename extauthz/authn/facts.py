"""Token facts from what an issuer signed or said."""

from collections.abc import Mapping

from extauthz.authn.current import believe_until, has_ended
from extauthz.model.errors import Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import Claims, TokenFacts, TokenForm
from extauthz.oauth2.claims import RegisteredClaims, client_id, registered_claims, scopes
from extauthz.oauth2.introspection import IntrospectionResponse
from extauthz.oauth2.jwt import SignedClaims
from extauthz.oauth2.token_kind import other_kind

_INTROSPECTION_CLIENT_ID = "client_id"
"""RFC 7662 §2.2 names it; `azp` is a JWT's."""


class FactMaker:
    """Turns an issuer's word into facts, and fixes until when they may be believed.

    The times are those of one cache; 0 makes facts that are over at once, so that nothing keeps them.
    """

    def __init__(self, *, ttl_seconds: float, negative_ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._negative_ttl_seconds = negative_ttl_seconds

    def from_jwt(self, signed: SignedClaims, key_manager: KeyManager, now: float) -> TokenFacts:
        """Facts of a JWT whose signature was verified; what is over or no access token is a negative fact.

        Raises:
            Denied: invalid_token, a claim that is missing or malformed.
        """
        claims = signed.claims
        registered = registered_claims(claims, exp_required=True)
        types = key_manager.jwt.token_types if key_manager.jwt else frozenset()
        if other_kind(signed.typ, claims, accepted_types=types, scopes_claim=key_manager.scopes_claim):
            return self.refused(TokenForm.JWT, Reason.WRONG_TOKEN_TYPE, now)
        if has_ended(registered.exp, key_manager, now):
            return self.refused(TokenForm.JWT, Reason.TOKEN_EXPIRED, now)
        return self._accepted(
            TokenForm.JWT,
            registered,
            claims,
            key_manager,
            now,
            client_id=client_id(claims, key_manager.client_id_claim),
            token_type=signed.typ,
            signing_key=signed.key_thumbprint,
        )

    def from_introspection(self, response: IntrospectionResponse, key_manager: KeyManager, now: float) -> TokenFacts:
        """Facts of an introspection answer; anything but an active access token is a negative fact.

        Raises:
            Denied: invalid_token, a member of the answer is malformed.
        """
        if not response.active:
            return self.refused(TokenForm.INTROSPECTED, Reason.TOKEN_INACTIVE, now)
        claims = response.claims
        registered = registered_claims(claims, exp_required=False)
        # RFC 7662 §2.1: a server may call a refresh token active as well.
        if other_kind(None, claims, scopes_claim=key_manager.scopes_claim):
            return self.refused(TokenForm.INTROSPECTED, Reason.WRONG_TOKEN_TYPE, now)
        if has_ended(registered.exp, key_manager, now):
            return self.refused(TokenForm.INTROSPECTED, Reason.TOKEN_EXPIRED, now)
        token_type = claims.get("token_type")
        return self._accepted(
            TokenForm.INTROSPECTED,
            registered,
            claims,
            key_manager,
            now,
            client_id=client_id(claims, key_manager.client_id_claim or _INTROSPECTION_CLIENT_ID),
            token_type=token_type if isinstance(token_type, str) else None,
            signing_key=None,
        )

    def refused(self, form: TokenForm, reason: Reason, now: float) -> TokenFacts:
        """A negative fact, believed for a short time."""
        return TokenFacts(form=form, believe_until=now + self._negative_ttl_seconds, refusal=reason)

    def _accepted(  # noqa: PLR0913 - what both forms have in common, and the three members that each finds elsewhere
        self,
        form: TokenForm,
        registered: RegisteredClaims,
        claims: Claims,
        key_manager: KeyManager,
        now: float,
        *,
        client_id: str | None,
        token_type: str | None,
        signing_key: str | None,
    ) -> TokenFacts:
        return TokenFacts(
            form=form,
            believe_until=believe_until(registered.exp, key_manager, now, self._ttl_seconds),
            issuer=registered.iss,
            subject=registered.sub,
            client_id=client_id,
            scopes=scopes(claims, key_manager.scopes_claim),
            audiences=registered.aud,
            expires_at=registered.exp,
            not_before=registered.nbf,
            issued_at=registered.iat,
            token_type=token_type,
            token_id=registered.jti,
            signing_key=signing_key,
            claims=mapped(claims, key_manager.claim_mapping),
        )


def mapped(claims: Claims, mapping: Mapping[str, str]) -> Claims:
    """The claims under our names (WSO2's claim mapping): the remote name goes, what is not named stays.

    A claim that is mapped replaces one that already had its new name.
    """
    if not mapping:
        return claims
    kept = {name: value for name, value in claims.items() if name not in mapping}
    renamed = {local: claims[remote] for remote, local in mapping.items() if remote in claims}
    return Claims(kept | renamed)
