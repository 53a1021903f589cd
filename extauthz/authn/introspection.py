"""Opaque tokens: what their key manager says about them (RFC 7662, seed 000)."""

from extauthz.authn.facts import FactMaker
from extauthz.authn.issuers import Issuers
from extauthz.authn.known_tokens import KnownTokens
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts


class IntrospectionAuthenticator:
    """Knows every token that the authenticators before it left: the last of the chain."""

    def __init__(self, *, catalog: Catalog, issuers: Issuers, known: KnownTokens, facts: FactMaker) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._known = known
        self._facts = facts

    async def authenticate(self, token: BearerToken, api: Api) -> Principal | None:
        """See `Authenticator`; never None."""
        key_manager = self._catalog.key_manager_for_opaque_tokens(api)
        if key_manager is None:
            raise Denied(Reason.INVALID_TOKEN, f"no key manager introspects tokens for {api.id}")
        return await self._known.principal(token, key_manager, lambda: self._learn(token, key_manager))

    async def _learn(self, token: BearerToken, key_manager: KeyManager) -> TokenFacts:
        introspector = self._issuers.of(key_manager).introspector
        if introspector is None:
            raise Denied(Reason.INVALID_TOKEN, f"key manager {key_manager.id} does not introspect")
        response = await introspector.introspect(token.value)
        return self._facts.from_introspection(response, key_manager, self._known.clock())
