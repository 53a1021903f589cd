"""JWTs: routed by issuer, and audience, to that issuer's keys (seed 003)."""

from collections.abc import Awaitable
from typing import Protocol

from msgspec import structs

from extauthz.authn.encrypted import EncryptedJwts
from extauthz.authn.facts import FactMaker
from extauthz.authn.issuers import Issuers
from extauthz.authn.jwt_routes import JwtRoute, JwtRoutes
from extauthz.authn.known_tokens import KnownTokens, OutlivesRevocation
from extauthz.cache.keys import NamedToken
from extauthz.catalog.catalog import Catalog
from extauthz.model.api import Api
from extauthz.model.check import Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager, TokenValidation
from extauthz.model.token import Claims, TokenFacts, TokenForm
from extauthz.oauth2.claims import client_id, registered_claims
from extauthz.oauth2.jwe import ensure_replicated
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.jwt import SignedClaims, UnverifiedJwt, ensure_acceptable, parse, verify

_CONFIRMATION = "cnf"
_BY_JWT = TokenValidation.JWT


class Introspection(Protocol):
    """Knows tokens by asking their key manager."""

    async def introspected(self, token: NamedToken, key_manager: KeyManager) -> Principal:
        """Who holds a token.

        Raises:
            Denied: the key manager says no, or the token is not current.
            Unavailable: the key manager does not answer.
        """
        ...

    def is_known(self, token: NamedToken, key_manager: KeyManager) -> bool:
        """Whether `introspected` has an answer in this process."""
        ...


class _Unverifiable(Denied):
    """No key of the issuer made the signature; all else about the token is acceptable so far."""


class JwtAuthenticator:
    """Knows tokens in the form of a JWT; one of an unknown issuer is refused, never introspected."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        issuers: Issuers,
        known: KnownTokens,
        routes: JwtRoutes,
        facts: FactMaker,
        introspection: Introspection,
    ) -> None:
        self._catalog = catalog
        self._issuers = issuers
        self._known = known
        self._routes = routes
        self._facts = facts
        self._introspection = introspection
        self._encrypted = EncryptedJwts(catalog=catalog, issuers=issuers, known=known)

    def authenticate(
        self,
        token: NamedToken,
        api: Api,
        request: RequestContext,  # noqa: ARG002 - the token says all
    ) -> Principal | Awaitable[Principal] | None:
        """See `TokenAuthenticator`."""
        route = self._routes.get(token.name)
        if route is not None:
            known = self._held(token, route, api)
            if known is not None:
                return known
        jwt = parse(token.value)
        if jwt is None:
            return None
        return self._learned(token, jwt, api) or self._read(token, jwt, api)

    def _held(self, token: NamedToken, route: JwtRoute, api: Api) -> Principal | None:
        """Who calls with a token that was validated before; None: it must be read again."""
        key_manager = self._catalog.key_manager_for_jwt(api, route.issuer, route.audiences)
        if key_manager is None or key_manager.validation is not _BY_JWT or key_manager.jwt is None:
            return None
        return self._known.held(token, key_manager, self._issuers.of(key_manager).trusts)

    def _learned(self, token: NamedToken, jwt: UnverifiedJwt, api: Api) -> Principal | None:
        """Who calls with a new token, where its key is at hand and nothing else is to be done; None: ask `_read`.

        A token that is new takes this way nearly always: as a task of its own it cost 70 us more.
        """
        if jwt.encrypted or not jwt.issuer:
            return None
        key_manager = self._catalog.key_manager_for_jwt(api, jwt.issuer, jwt.audiences)
        if key_manager is None or key_manager.validation is not _BY_JWT or key_manager.introspect_failed_jwt:
            return None
        try:
            principal = self._known.learned(token, key_manager, lambda: self._learn_now(jwt, key_manager))
        except (Denied, Unavailable) as refusal:
            refusal.key_manager = key_manager.id
            raise
        if principal is not None:
            self._routes.remember(token, jwt)
        return principal

    def _learn_now(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> TokenFacts | None:
        if key_manager.jwt is None:
            return None
        algorithms = key_manager.jwt.algorithms
        ensure_acceptable(jwt, algorithms)
        keys = self._issuers.of(key_manager).keys_at_hand(jwt.kid, jwt.alg)
        if not keys:
            return None
        return self._facts.from_jwt(_signed_by_one(jwt, keys, algorithms), key_manager, self._known.clock())

    async def _read(self, token: NamedToken, jwt: UnverifiedJwt, api: Api) -> Principal:
        key_manager = self._routed(token, jwt, api)
        if key_manager is None:
            raise Denied(Reason.INVALID_TOKEN, "no key manager checks such JWTs of this issuer and audience")
        try:
            if key_manager.validation is TokenValidation.INTROSPECTION:
                return await self._introspected(token, jwt, key_manager)
            return await self._validated(token, jwt, key_manager)
        except (Denied, Unavailable) as refusal:
            refusal.key_manager = key_manager.id
            raise

    def _routed(self, token: NamedToken, jwt: UnverifiedJwt, api: Api) -> KeyManager | None:
        named = self._catalog.key_manager_for_jwt(api, jwt.issuer, jwt.audiences) if jwt.issuer else None
        if not jwt.encrypted or (named is not None and named.validation is TokenValidation.INTROSPECTION):
            return named
        return self._encrypted.key_manager(token, jwt, api)

    async def _validated(self, token: NamedToken, jwt: UnverifiedJwt, key_manager: KeyManager) -> Principal:
        if key_manager.jwt is None:
            raise Denied(Reason.INVALID_TOKEN, f"key manager {key_manager.id} does not check JWTs")
        introspected = key_manager.introspect_failed_jwt and self._introspection.is_known(token, key_manager)
        if introspected and not self._known.holds(token, key_manager):
            # Its signature failed before, and the key manager has answered: neither is repeated.
            return await self._introspected(token, jwt, key_manager)
        try:
            principal = await self._known.principal(
                token,
                key_manager,
                lambda: self._learn(jwt, key_manager),
                # A key that the issuer has withdrawn since: the token is verified again, with the keys of now.
                trusts=self._issuers.of(key_manager).trusts,
            )
        except _Unverifiable:
            if not key_manager.introspect_failed_jwt:
                raise
        except OutlivesRevocation:
            if key_manager.introspection is None:
                raise
        else:
            self._routes.remember(token, jwt)
            return principal
        return await self._introspected(token, jwt, key_manager)

    async def _introspected(self, token: NamedToken, jwt: UnverifiedJwt, key_manager: KeyManager) -> Principal:
        readable = self._encrypted.readable(jwt, key_manager)
        audiences = key_manager.jwt.audiences if key_manager.jwt else frozenset()
        # What the key manager then says is about this very token, so its `aud` is as good as signed.
        if audiences and audiences.isdisjoint(readable.audiences):
            raise Denied(Reason.INVALID_TOKEN, "meant for another audience")
        principal = await self._introspection.introspected(token, key_manager)
        own = readable.claims
        await self._known.ensure_not_revoked(token, key_manager, _told_by_itself(own, key_manager))
        return _bound_as_it_says(principal, own)

    async def _learn(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> TokenFacts:
        readable = self._encrypted.readable(jwt, key_manager)
        signed = await self._verified(readable, key_manager)
        if jwt.encrypted:
            ensure_replicated(jwt, signed.claims)
        return self._facts.from_jwt(signed, key_manager, self._known.clock())

    async def _verified(self, jwt: UnverifiedJwt, key_manager: KeyManager) -> SignedClaims:
        algorithms = key_manager.jwt.algorithms if key_manager.jwt else frozenset()
        # Before any key is looked for: what cannot be accepted costs the issuer no call.
        ensure_acceptable(jwt, algorithms)
        try:
            keys = await self._issuers.of(key_manager).keys_for(jwt.kid, jwt.alg)
        except Denied as denied:
            raise _Unverifiable(denied.reason, denied.detail) from denied
        return _signed_by_one(jwt, keys, algorithms)


def _signed_by_one(jwt: UnverifiedJwt, keys: tuple[VerificationKey, ...], algorithms: frozenset[str]) -> SignedClaims:
    refused = Denied(Reason.INVALID_TOKEN, "no key of the issuer fits its algorithm")
    for key in keys:
        try:
            return verify(jwt, key, algorithms)
        except Denied as denied:
            refused = denied
    raise _Unverifiable(refused.reason, refused.detail) from refused


def _told_by_itself(own: Claims, key_manager: KeyManager) -> TokenFacts:
    """What an introspected JWT says of itself, for revocations only: the answer may leave out what it is known by."""
    registered = registered_claims(own, exp_required=False)
    return TokenFacts(
        form=TokenForm.JWT,
        believe_until=0.0,
        subject=registered.sub,
        client_id=client_id(own, key_manager.client_id_claim),
        issued_at=registered.iat,
        token_id=registered.jti,
    )


def _bound_as_it_says(principal: Principal, own: Claims) -> Principal:
    """The principal with the token's own confirmation (RFC 7800 §3.1), which many answers leave out.

    Raises:
        Denied: invalid_token: token and answer name different ones.
    """
    if _CONFIRMATION not in own:
        return principal
    claims = principal.facts.claims
    if claims.get(_CONFIRMATION, own[_CONFIRMATION]) != own[_CONFIRMATION]:
        raise Denied(Reason.INVALID_TOKEN, "bound to one key by itself, and to another by its key manager")
    facts = structs.replace(principal.facts, claims={**claims, _CONFIRMATION: own[_CONFIRMATION]})
    return structs.replace(principal, facts=facts)
