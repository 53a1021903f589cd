"""What key managers say about the users of tokens, asked with the token itself and used for a while."""

from collections import OrderedDict

from extauthz.authn.facts import mapped
from extauthz.authn.issuers import Issuers
from extauthz.cache.single_flight import SingleFlight
from extauthz.model.check import Principal
from extauthz.model.clock import Clock
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.user import NO_USER, UserFacts

_CONFIRMATION = "cnf"


class Users:
    """Keeps at most `entries` answers in process, one for a token; the least recently used leave first.

    One question at a time about a token. A refusal is not kept. Must be closed.
    """

    def __init__(self, issuers: Issuers, clock: Clock, *, entries: int) -> None:
        self._issuers = issuers
        self._clock = clock
        self._entries = entries
        self._held: OrderedDict[bytes, tuple[float, UserFacts]] = OrderedDict()
        """By token: when it was asked about, and the answer."""
        self._questions: SingleFlight[UserFacts] = SingleFlight("userinfo")

    def known(self, principal: Principal) -> UserFacts | None:
        """What is known without asking; `NO_USER` where nobody is to be asked, None where `of` asks."""
        if not _is_asked_about(principal):
            return NO_USER
        asked_at, held = self._held.get(principal.token_key, (0.0, None))
        # A clock that was set back must not bring out an answer of the future.
        if held is None or not asked_at <= self._clock() < held.use_until:
            return None
        self._held.move_to_end(principal.token_key)
        return held

    async def of(self, principal: Principal) -> UserFacts:
        """What the key manager says about the user of a token, of now or before.

        Raises:
            Denied: the userinfo endpoint refuses the token or speaks of another user, or the token cannot be used
                there.
            Unavailable: it does not answer.
        """
        known = self.known(principal)
        if known is not None:
            return known
        return await self._questions.join(principal.token_key, lambda: self._ask(principal))

    async def close(self) -> None:
        """Ends the questions under way."""
        await self._questions.close()

    async def _ask(self, principal: Principal) -> UserFacts:
        key_manager, token, subject = principal.key_manager, principal.token, principal.facts.subject
        settings = key_manager.userinfo if key_manager else None
        if key_manager is None or settings is None or token is None or subject is None:
            raise Denied(Reason.INTERNAL, "nobody to ask about this user")
        if _CONFIRMATION in principal.facts.claims:
            # Its proof was made for our resource (RFC 9449 §4.3, RFC 8705 §3), and as a bearer token it is refused.
            # Going on without its claims would let a caller choose, by binding the token, what the upstream is told.
            raise Denied(Reason.INVALID_TOKEN, "bound to its client, so that its userinfo endpoint cannot be asked")
        endpoint = self._issuers.of(key_manager).userinfo
        if endpoint is None:
            raise Unavailable("catalog", f"key manager {key_manager.id} changed during the check")
        asked_at = self._clock()
        claims = await endpoint.claims(token, subject)
        facts = UserFacts(claims=mapped(claims, key_manager.claim_mapping), use_until=asked_at + settings.ttl_seconds)
        self._hold(principal.token_key, asked_at, facts)
        return facts

    def _hold(self, token_key: bytes, asked_at: float, facts: UserFacts) -> None:
        self._held[token_key] = (asked_at, facts)
        self._held.move_to_end(token_key)
        while len(self._held) > self._entries:
            self._held.popitem(last=False)


def _is_asked_about(principal: Principal) -> bool:
    """Whether there is a user (RFC 9068 §2.2: without one `sub` is the client), and somebody who knows about users."""
    facts, key_manager = principal.facts, principal.key_manager
    is_user = bool(facts.subject) and facts.subject != facts.client_id
    return is_user and key_manager is not None and key_manager.userinfo is not None
