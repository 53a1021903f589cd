"""The key managers' keys and endpoints, ready for use, and kept in step with the catalog."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from extauthz.authn.pinned_keys import pinned_keys
from extauthz.model.clock import Clock
from extauthz.model.errors import Unavailable
from extauthz.model.key_manager import KeyManager
from extauthz.model.token import Claims
from extauthz.oauth2.introspection import IntrospectionResponse
from extauthz.oauth2.jwe import JweDecrypter
from extauthz.oauth2.jwk import VerificationKey
from extauthz.oauth2.signed_introspection import KeyLookup


class Introspector(Protocol):
    """Asks an introspection endpoint."""

    async def introspect(self, token: str) -> IntrospectionResponse:
        """What the issuer says about a token.

        Raises:
            Unavailable: no answer, or not one of RFC 7662.
        """
        ...

    async def close(self) -> None:
        """Ends what runs in the background."""
        ...


class PublishedKeys(Protocol):
    """An issuer's JWK set, fetched and kept fresh."""

    async def keys(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The keys that a token may have been signed with, at least one.

        Raises:
            Denied: the issuer has no such key.
            Unavailable: the issuer's keys are not known and cannot be fetched.
        """
        ...

    def at_hand(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """What `keys` would say without waiting; empty: ask `keys`."""
        ...

    def is_trusted(self, thumbprint: str) -> bool:
        """Whether a key is still one of the issuer's."""
        ...

    async def close(self) -> None:
        """Ends what runs in the background."""
        ...


class Userinfo(Protocol):
    """Asks a userinfo endpoint."""

    async def claims(self, token: str, subject: str) -> Claims:
        """What the endpoint says about the token's user, who is `subject`.

        Raises:
            Denied: it refuses the token, or speaks of another user.
            Unavailable: no answer, or not one of OpenID Connect Core §5.3.2.
        """
        ...


class Connections(Protocol):
    """Opens the ways to an issuer."""

    async def published_keys(self, key_manager: KeyManager) -> PublishedKeys | None:
        """The JWK set of a key manager; None if it has none. Where it is may have to be asked, once and here.

        Raises:
            ValueError: the issuer's metadata, or a file that is named, cannot be used.
            Unavailable: the issuer's metadata cannot be had.
        """
        ...

    def introspector(self, key_manager: KeyManager, keys: KeyLookup) -> Introspector | None:
        """The introspection endpoint of a key manager; None if it has none. `keys` verify answers that are signed.

        Raises:
            ValueError: a secret or file that it needs is not there, is of no use, or may not be sent there.
        """
        ...

    def userinfo(self, key_manager: KeyManager) -> Userinfo | None:
        """The userinfo endpoint of a key manager; None if it has none.

        Raises:
            ValueError: a file that it needs is not there or of no use.
        """
        ...

    def decryption(self, key_manager: KeyManager) -> JweDecrypter | None:
        """Our keys for a key manager's encrypted tokens; None if it has none.

        Raises:
            ValueError: a secret is not there, or is no key that fits.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One key manager's keys and endpoints."""

    clock: Clock
    certificates: tuple[VerificationKey, ...] = ()
    published_keys: PublishedKeys | None = None
    introspector: Introspector | None = None
    userinfo: Userinfo | None = None
    decryption: JweDecrypter | None = None

    def keys_at_hand(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """What `keys_for` would say without waiting; empty: ask `keys_for`."""
        if self.published_keys and (kid is not None or not self.certificates):
            return self.published_keys.at_hand(kid, alg)
        return self._certified(alg)

    async def keys_for(self, kid: str | None, alg: str) -> tuple[VerificationKey, ...]:
        """The keys that a token may have been signed with.

        With a JWK set and certificates both configured, a token with a `kid` is checked against the JWK set (seed 003).

        Raises:
            Denied: the issuer has no such key.
            Unavailable: the issuer's keys are not known and cannot be fetched.
        """
        if self.published_keys and (kid is not None or not self.certificates):
            return await self.published_keys.keys(kid, alg)
        return self._certified(alg)

    def trusts(self, thumbprint: str) -> bool:
        """Whether a key that verified a signature earlier is still trusted."""
        if self.certificates:
            now = self.clock()
            if any(key.thumbprint == thumbprint and key.is_valid_at(now) for key in self.certificates):
                return True
        return self.published_keys is not None and self.published_keys.is_trusted(thumbprint)

    def _certified(self, alg: str) -> tuple[VerificationKey, ...]:
        now = self.clock()
        return tuple(key for key in self.certificates if key.fits(alg) and key.is_valid_at(now))

    async def close(self) -> None:
        """Ends what runs in the background."""
        for way in (self.published_keys, self.introspector):
            if way is not None:
                await way.close()


Prepared = Mapping[tuple[str, str, bytes], Issuer]
"""By organization, id and fingerprint."""


class Issuers:
    """Every enabled key manager's `Issuer`; one whose settings stay the same keeps its keys over a catalog change."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._issuers: Prepared = {}

    async def prepare(self, key_managers: Iterable[KeyManager]) -> Prepared:
        """What a new catalog needs, with nothing changed yet. Key managers that are new may have to be asked.

        Raises:
            ValueError: a key manager that cannot be used, with its id: a certificate that is none, a missing secret.
            Unavailable: a key manager that must be asked does not answer.
        """
        wanted = {_name(key_manager): key_manager for key_manager in key_managers if key_manager.enabled}
        new = {name: key_manager for name, key_manager in wanted.items() if name not in self._issuers}
        # One that answers slowly does not hold up the others; all have answered before any failure is told.
        opened = await asyncio.gather(*map(self._open, new.values()), return_exceptions=True)
        for outcome in opened:
            if isinstance(outcome, BaseException):
                raise outcome
        held = {name: self._issuers[name] for name in wanted if name in self._issuers}
        return held | {name: issuer for name, issuer in zip(new, opened, strict=True) if isinstance(issuer, Issuer)}

    async def adopt(self, prepared: Prepared) -> None:
        """Uses what was prepared, and closes what is left over."""
        former, self._issuers = self._issuers, prepared
        for name, issuer in former.items():
            if name not in prepared:
                await issuer.close()

    async def close(self) -> None:
        """Closes every issuer."""
        await self.adopt({})

    def of(self, key_manager: KeyManager) -> Issuer:
        """The keys and endpoints of a key manager.

        Raises:
            Unavailable: the catalog has moved on from these settings.
        """
        # As `_name` has it, written out: this is asked on every Check of a JWT.
        issuer = self._issuers.get((key_manager.organization, key_manager.id, key_manager.fingerprint))
        if issuer is None:
            raise Unavailable("catalog", f"key manager {key_manager.id} changed during the check")
        return issuer

    async def _open(self, key_manager: KeyManager) -> Issuer:
        try:
            issuer = Issuer(
                clock=self._clock,
                certificates=pinned_keys(key_manager, self._clock()),
                decryption=self._connections.decryption(key_manager),
                userinfo=self._connections.userinfo(key_manager),
                published_keys=await self._connections.published_keys(key_manager),
            )
            return replace(issuer, introspector=self._connections.introspector(key_manager, issuer.keys_for))
        except ValueError as error:
            raise ValueError(f"key manager {key_manager.id}: {error}") from error
        except Unavailable as error:
            raise Unavailable(error.component, f"key manager {key_manager.id}: {error.detail}") from error


def _name(key_manager: KeyManager) -> tuple[str, str, bytes]:
    return key_manager.organization, key_manager.id, key_manager.fingerprint
