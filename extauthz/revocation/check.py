"""Whether a token was revoked: asked on every Check, answered from memory."""

from collections.abc import Mapping

from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts
from extauthz.revocation.keys import RevocationKeys
from extauthz.revocation.retention import Retention
from extauthz.revocation.revocation import Entry, RevocationForm
from extauthz.revocation.revocation_list import RevocationList

_TOKEN, _TOKEN_ID = RevocationForm.TOKEN, RevocationForm.TOKEN_ID
_CLIENT, _SUBJECT = RevocationForm.CLIENT, RevocationForm.SUBJECT


class RevocationCheck:
    """One look-up for each form and secret, however many revocations there are."""

    def __init__(self, *, keys: RevocationKeys, revoked: RevocationList, retention: Retention, clock: Clock) -> None:
        self._keys = keys
        self._revoked = revoked
        self._retention = retention
        self._clock = clock
        self.introspects_unbounded = retention.introspect

    def is_revoked(self, token: str, key_manager: KeyManager, facts: TokenFacts | None) -> bool:
        """Whether a token of a key manager was revoked; without facts, only by its fingerprint.

        Raises:
            Unavailable: the revocations of the past are not known yet.
        """
        if not self._revoked.known:
            raise Unavailable("revocations", "not known yet")
        entries = self._revoked.current()
        if not entries:
            return False
        scope = (key_manager.organization, key_manager.id)
        if self._held(entries, scope, _TOKEN, token, None):
            return True
        return facts is not None and (
            self._held(entries, scope, _TOKEN_ID, facts.token_id, None)
            or self._held(entries, scope, _CLIENT, facts.client_id, facts.issued_at)
            or self._held(entries, scope, _SUBJECT, facts.subject, facts.issued_at)
        )

    def outlives(self, facts: TokenFacts) -> bool:
        """Whether a token may be valid for longer than a revocation of it would be kept (`Retention.outlived_by`)."""
        return self._retention.binding and self._retention.outlived_by(facts, self._clock())

    def _held(
        self,
        entries: Mapping[bytes, Entry],
        scope: tuple[str, str],
        form: RevocationForm,
        value: str | None,
        issued_at: float | None,
    ) -> bool:
        if value is None:
            return False
        for name in self._keys.names(scope, form, value):
            entry = entries.get(name)
            # What does not say when it was issued counts as older.
            if entry and (entry.issued_until is None or issued_at is None or issued_at <= entry.issued_until):
                return True
        return False
