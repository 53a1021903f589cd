"""The key managers' keys and endpoints, ready for use, and kept in step with the catalog."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import JwtValidation, KeyManager
from extauthz.oauth2.introspection import IntrospectionResponse
from extauthz.oauth2.jwk import VerificationKey, key_from_certificate


class Introspector(Protocol):
    """Asks an introspection endpoint."""

    async def introspect(self, token: str) -> IntrospectionResponse:
        """What the issuer says about a token.

        Raises:
            Unavailable: no answer, or not one of RFC 7662.
        """
        ...


class PublishedKeys(Protocol):
    """An issuer's JWK set, fetched and kept fresh."""

    async def key(self, kid: str | None, alg: str) -> VerificationKey:
        """The key that a token was signed with.

        Raises:
            Denied: the issuer has no such key.
            Unavailable: the issuer's keys are not known and cannot be fetched.
        """
        ...

    def is_trusted(self, thumbprint: str) -> bool:
        """Whether a key is still one of the issuer's."""
        ...

    async def close(self) -> None:
        """Ends what runs in the background."""
        ...


class Connections(Protocol):
    """Opens the ways to an issuer."""

    def published_keys(self, jwks_uri: str) -> PublishedKeys:
        """The JWK set at a URL."""
        ...

    def introspector(self, key_manager: KeyManager) -> Introspector:
        """The introspection endpoint of a key manager that has one.

        Raises:
            ValueError: a secret that it needs is not there, or may not be sent there.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One key manager's keys and endpoint."""

    certificates: tuple[VerificationKey, ...] = ()
    published_keys: PublishedKeys | None = None
    introspector: Introspector | None = None

    async def keys_for(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The keys that a token may have been signed with.

        With a JWK set and certificates both configured, a token with a `kid` is checked against the JWK set (seed 003).

        Raises:
            Denied: the issuer has no such key.
            Unavailable: the issuer's keys are not known and cannot be fetched.
        """
        if self.published_keys and (kid is not None or not self.certificates):
            return (await self.published_keys.key(kid, alg),)
        return tuple(key for key in self.certificates if key.fits(alg))

    def trusts(self, thumbprint: str) -> bool:
        """Whether a key that verified a signature earlier is still trusted."""
        pinned = any(key.thumbprint == thumbprint for key in self.certificates)
        return pinned or (self.published_keys is not None and self.published_keys.is_trusted(thumbprint))


Prepared = Mapping[tuple[str, str, bytes], Issuer]
"""By organization, id and fingerprint."""


class Issuers:
    """Every enabled key manager's `Issuer`; one whose settings stay the same keeps its keys over a catalog change."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._issuers: Prepared = {}

    def prepare(self, key_managers: Iterable[KeyManager]) -> Prepared:
        """What a new catalog needs, with nothing changed yet.

        Raises:
            ValueError: a key manager that cannot be used, with its id: a certificate that is none, a missing secret.
        """
        prepared: dict[tuple[str, str, bytes], Issuer] = {}
        for key_manager in key_managers:
            if key_manager.enabled:
                held = self._issuers.get(_name(key_manager))
                prepared[_name(key_manager)] = held or self._open(key_manager)
        return prepared

    async def adopt(self, prepared: Prepared) -> None:
        """Uses what was prepared, and closes what is left over."""
        former, self._issuers = self._issuers, prepared
        for name, issuer in former.items():
            if name not in prepared and issuer.published_keys:
                await issuer.published_keys.close()

    async def close(self) -> None:
        """Closes every issuer."""
        await self.adopt({})

    def of(self, key_manager: KeyManager) -> Issuer:
        """The keys and endpoint of a key manager.

        Raises:
            Unavailable: the catalog has moved on from these settings.
        """
        issuer = self._issuers.get(_name(key_manager))
        if issuer is None:
            raise Unavailable("catalog", f"key manager {key_manager.id} changed during the check")
        return issuer

    def _open(self, key_manager: KeyManager) -> Issuer:
        jwt = key_manager.jwt
        try:
            return Issuer(
                certificates=_certificates(jwt) if jwt else (),
                published_keys=self._connections.published_keys(jwt.jwks_uri) if jwt and jwt.jwks_uri else None,
                introspector=self._connections.introspector(key_manager) if key_manager.introspection else None,
            )
        except ValueError as error:
            raise ValueError(f"key manager {key_manager.id}: {error}") from error


def _name(key_manager: KeyManager) -> tuple[str, str, bytes]:
    return key_manager.organization, key_manager.id, key_manager.fingerprint


def _certificates(jwt: JwtValidation) -> tuple[VerificationKey, ...]:
    return tuple(key_from_certificate(pem) for pem in jwt.certificates)
