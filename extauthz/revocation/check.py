"""Whether a token was revoked: asked on every Check, answered from memory."""

from extauthz.model.check import BearerToken
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import RevocationForm
from extauthz.revocation.revocation_list import RevocationList


class RevocationCheck:
    """One look-up for each form and secret, however many revocations there are."""

    def __init__(self, *, keys: RevocationKeys, revoked: RevocationList, retention: Retention, clock: Clock) -> None:
        self._keys = keys
        self._revoked = revoked
        self._retention = retention
        self._clock = clock
        self.introspects_unbounded = retention.introspect

    def is_revoked(self, token: BearerToken, key_manager: KeyManager, facts: TokenFacts | None) -> bool:
        """Whether a token of a key manager was revoked; without facts, only by its fingerprint.

        Raises:
            Unavailable: the revocations of the past are not known yet.
        """
        if not self._revoked.known:
            raise Unavailable("revocations", "not known yet")
        if not len(self._revoked):
            return False
        scope = (key_manager.organization, key_manager.id)
        if self._held(scope, RevocationForm.TOKEN, token.value, None):
            return True
        return facts is not None and (
            self._held(scope, RevocationForm.TOKEN_ID, facts.token_id, None)
            or self._held(scope, RevocationForm.CLIENT, facts.client_id, facts.issued_at)
            or self._held(scope, RevocationForm.SUBJECT, facts.subject, facts.issued_at)
        )

    def outlives(self, facts: TokenFacts) -> bool:
        """Whether a token may be valid for longer than a revocation of it would be kept (`Retention.outlived_by`)."""
        return self._retention.outlived_by(facts, self._clock())

    def _held(self, scope: tuple[str, str], form: RevocationForm, value: str | None, issued_at: float | None) -> bool:
        if value is None:
            return False
        for name in self._keys.names(scope, form, value):
            entry = self._revoked.find(name)
            # What does not say when it was issued counts as older.
            if entry and (entry.issued_until is None or issued_at is None or issued_at <= entry.issued_until):
                return True
        return False
