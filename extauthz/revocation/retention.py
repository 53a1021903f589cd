"""How long a revocation is kept, and which tokens would outlive it."""

from dataclasses import dataclass

from extauthz.model.key_manager import MAX_CLOCK_SKEW_SECONDS
from extauthz.model.token import TokenFacts, TokenForm
from extauthz.revocation.revocation import Revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The rule that no token comes back to life when its revocation is forgotten."""

    seconds: float
    """How long a revocation is kept whose token's end is not known. Longer than any issuer's word is believed."""
    introspect: bool = True
    """Whether a token that could outlive its revocation is accepted on its issuer's fresh word; else it is refused."""
    binding: bool = True
    """Whether the rule is applied: where nobody can revoke, nothing is outlived."""

    def keep_until(self, revocation: Revocation, now: float) -> float:
        """When no token that it means is valid any more, the largest clock skew included."""
        if revocation.expires_at is not None:
            end = revocation.expires_at
        else:
            # Tokens that were issued later do not matter: those until now, or until the time that was given.
            end = max(now, revocation.issued_until or 0.0) + self.seconds
        return end + MAX_CLOCK_SKEW_SECONDS

    def outlived_by(self, facts: TokenFacts, now: float) -> bool:
        """Whether a token may be valid for longer than a revocation of it is kept.

        Its whole life counts, not what is left: a revocation of its first day may be forgotten on its last. Without
        `iat` only what is left is known.
        """
        if not self.binding or facts.refusal is not None:
            return False
        if facts.form is TokenForm.INTROSPECTED and self.introspect:
            # The issuer was asked less than a cache's time ago, and that is shorter than the retention.
            return False
        if facts.expires_at is None:
            return True
        start = now if facts.issued_at is None else min(facts.issued_at, now)
        return facts.expires_at - start > self.seconds
