"""Tokens that their key manager is asked about (RFC 7662, seed 000)."""

from collections.abc import Awaitable, Sequence

from extauthz.authn.current import SaidInactive
from extauthz.authn.facts import FactMaker
from extauthz.authn.issuers import Issuers
from extauthz.authn.known_tokens import KnownTokens
from extauthz.cache.keys import NamedToken
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.check import Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts


class IntrospectionAuthenticator:
    """Knows every token that the authenticators before it left: the last of the chain."""

    def __init__(self, *, catalog: Catalog, issuers: Issuers, known: KnownTokens, facts: FactMaker) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._known = known
        self._facts = facts

    def authenticate(self, token: NamedToken, api: Api, request: RequestContext) -> Principal | Awaitable[Principal]:
        """See `TokenAuthenticator`; never None.

        The next key manager whose rule fits sees the token only after one has said that it is inactive: one that does
        not answer may be the token's own.
        """
        key_managers = self._catalog.key_managers_for_opaque_token(api, token.value, request.headers)
        if not key_managers:
            raise Denied(Reason.INVALID_TOKEN, f"no key manager of {api.id} introspects such tokens")
        try:
            held = self._known.held(token, key_managers[0])
        except SaidInactive:
            if len(key_managers) == 1:
                raise
            held = None
        return self._introspected_in_turn(token, key_managers) if held is None else held

    async def _introspected_in_turn(self, token: NamedToken, key_managers: Sequence[KeyManager]) -> Principal:
        *others, last = key_managers
        for key_manager in others:
            try:
                return await self.introspected(token, key_manager)
            except SaidInactive:
                continue
        return await self.introspected(token, last)

    async def introspected(self, token: NamedToken, key_manager: KeyManager) -> Principal:
        """Who holds a token, by its key manager's word of now or before.

        Raises:
            Denied: the key manager says no, or the token is not current.
            Unavailable: the key manager does not answer.
        """
        settings = key_manager.introspection
        try:
            return await self._known.principal(
                token,
                key_manager,
                lambda: self._learn(token, key_manager),
                stale_seconds=settings.stale_if_error_seconds if settings else 0.0,
            )
        except (Denied, Unavailable) as refusal:
            refusal.key_manager = key_manager.id
            raise

    def is_known(self, token: NamedToken, key_manager: KeyManager) -> bool:
        """Whether `introspected` has an answer in this process."""
        return self._known.holds(token, key_manager)

    async def _learn(self, token: NamedToken, key_manager: KeyManager) -> TokenFacts:
        introspector = self._issuers.of(key_manager).introspector
        if introspector is None:
            raise Denied(Reason.INVALID_TOKEN, f"key manager {key_manager.id} does not introspect")
        response = await introspector.introspect(token.value)
        return self._facts.from_introspection(response, key_manager, self._known.clock())
