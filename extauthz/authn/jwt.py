"""JWTs: routed by issuer to that issuer's keys (seed 003)."""

from extauthz.authn.facts import FactMaker
from extauthz.authn.issuers import Issuers
from extauthz.authn.known_tokens import KnownTokens
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.check import BearerToken, Principal
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import TokenFacts
from extauthz.oauth2.jwt import SignedClaims, UnverifiedJwt, parse, verify


class JwtAuthenticator:
    """Knows tokens in the form of a JWT; one of an unknown issuer is refused, never introspected."""

    def __init__(self, *, catalog: Catalog, issuers: Issuers, known: KnownTokens, facts: FactMaker) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._known = known
        self._facts = facts

    async def authenticate(self, token: BearerToken, api: Api) -> Principal | None:
        """See `Authenticator`."""
        jwt = parse(token.value)
        if jwt is None:
            return None
        key_manager = self._catalog.key_manager_for_issuer(api.organization, jwt.issuer) if jwt.issuer else None
        if key_manager is None or key_manager.jwt is None:
            raise Denied(Reason.INVALID_TOKEN, "no key manager checks JWTs of this issuer")
        issuer = self._issuers.of(key_manager)
        return await self._known.principal(
            token,
            key_manager,
            lambda: self._learn(jwt, key_manager),
            # A key that the issuer has withdrawn since: the token is verified again, with the keys of now.
            still_trusted=lambda facts: facts.signing_key is None or issuer.trusts(facts.signing_key),
        )

    async def _learn(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> TokenFacts:
        signed = await self._verified(jwt, key_manager)
        return self._facts.from_jwt(signed, key_manager, self._known.clock())

    async def _verified(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> SignedClaims:
        algorithms = key_manager.jwt.algorithms if key_manager.jwt else frozenset()
        if jwt.alg not in algorithms:
            # Before any key is looked for: what cannot be accepted costs the issuer no call.
            raise Denied(Reason.INVALID_TOKEN, "its algorithm is not one of jwt.algorithms")
        refused = Denied(Reason.INVALID_TOKEN, "no key of the issuer fits its algorithm")
        for key in await self._issuers.of(key_manager).keys_for(jwt.kid, jwt.alg):
            try:
                return verify(jwt, key, algorithms)
            except Denied as denied:
                refused = denied
        raise refused
