"""Whether a fact still holds: the one function that decides it, asked on a cache hit as on a miss."""

from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts, TokenForm

# On every Check: the member of an enumeration takes four times as long to find as a name of the module.
_JWT, _INTROSPECTED = TokenForm.JWT, TokenForm.INTROSPECTED


class SaidInactive(Denied):
    """The issuer itself said `active: false` (RFC 7662 §2.2): another may be the token's, where rules say so."""

    def __init__(self) -> None:
        super().__init__(Reason.TOKEN_INACTIVE, "its key manager says so")


def ensure_current(facts: TokenFacts, key_manager: KeyManager, now: float) -> None:
    """The token is neither refused, expired nor too young, and is this issuer's and meant for us.

    Raises:
        SaidInactive: the fact is that the token is inactive.
        Denied: the fact's own refusal, token_expired or invalid_token.
    """
    if facts.refusal is not None:
        if facts.refusal is Reason.TOKEN_INACTIVE:
            raise SaidInactive
        raise Denied(facts.refusal, "the issuer or the token itself says so")
    expires_at, not_before, form = facts.expires_at, facts.not_before, facts.form
    skew = key_manager.clock_skew_seconds
    # RFC 7519 §4.1.4: on or after `exp` it must not be accepted. (`has_ended`, written out.)
    if expires_at is not None and now >= expires_at + skew:
        raise Denied(Reason.TOKEN_EXPIRED, f"expired at {expires_at:.0f}")
    if not_before is not None and now < not_before - skew:
        raise Denied(Reason.INVALID_TOKEN, f"not valid before {not_before:.0f}")
    # RFC 7662 §2.2: an introspection answer may leave `iss` out; a JWT was routed by it.
    if facts.issuer != key_manager.issuer and not (facts.issuer is None and form is _INTROSPECTED):
        raise Denied(Reason.INVALID_TOKEN, "issued by another issuer")
    settings = key_manager.jwt if form is _JWT else key_manager.introspection
    if settings is not None and settings.audiences and settings.audiences.isdisjoint(facts.audiences):
        raise Denied(Reason.INVALID_TOKEN, "meant for another audience")


def has_ended(expires_at: float | None, key_manager: KeyManager, now: float) -> bool:
    """Whether a token has come to its end; one without `exp` has none."""
    return expires_at is not None and now >= expires_at + key_manager.clock_skew_seconds


def ensure_access_token(facts: TokenFacts, key_manager: KeyManager) -> None:
    """The token's `typ` is one that the key manager gives to access tokens, where that is configured (RFC 9068 §4).

    Raises:
        Denied: wrong_token_type.
    """
    if facts.form is _JWT:
        accepted = key_manager.jwt.token_types if key_manager.jwt is not None else None
    else:
        accepted = key_manager.introspection.token_types if key_manager.introspection is not None else None
    if not accepted:
        return
    # RFC 6749 §7.1: the name of a type has no case. Of a JWT it was read in lower case.
    given = facts.token_type if facts.form is _JWT else (facts.token_type or "").lower()
    if given not in accepted:
        raise Denied(Reason.WRONG_TOKEN_TYPE, "its type is not one of the key manager's `token_types`")


def believe_until(expires_at: float | None, key_manager: KeyManager, now: float, ttl_seconds: float) -> float:
    """Until when an issuer's word of now may be believed: the cache's time, and never past the token's own end."""
    if expires_at is None:
        return now + ttl_seconds
    return min(now + ttl_seconds, expires_at + key_manager.clock_skew_seconds)
