"""Which backend JWT a request gets: none, one of ours, or the issuer's."""

from collections.abc import Awaitable
from typing import Final, Protocol, assert_never

from extauthz.backend_jwt.pass_through import passed_backend_jwt
from extauthz.model.check import Access
from extauthz.model.key_manager import BackendJwtMode

# Bound once: each look at a member of an enum is a call (0.2 us).
_GENERATE: Final = BackendJwtMode.GENERATE
_PASS_THROUGH: Final = BackendJwtMode.PASS_THROUGH


class Signer(Protocol):
    """Makes the assertion about an access (`BackendJwtSigner`)."""

    def held(self, access: Access) -> str | None:
        """A JWT in compact form that was made before and still holds."""
        ...

    async def assertion(self, access: Access) -> str:
        """A JWT in compact form.

        Raises:
            Denied: the claims do not allow one, or a source of claims refuses.
            Unavailable: a source of claims does not answer.
        """
        ...


def backend_jwt(access: Access, signer: Signer | None) -> str | Awaitable[str] | None:
    """The value for the upstream, or None for no header: the API wants none, or there is none to give.

    An awaitable of it where it must be made first; most often it is at hand, and nothing is waited for. Without a
    signer nothing is generated; an issuer's own is passed on all the same.

    Raises:
        Denied: the issuer's own is malformed, the token's claims do not allow one, or a source of claims refuses.
        Unavailable: a source of claims does not answer.
    """
    if not access.api.backend_jwt:
        return None
    key_manager = access.principal.key_manager
    mode = _GENERATE if key_manager is None else key_manager.backend_jwt
    if mode is _GENERATE:
        return None if signer is None else signer.held(access) or signer.assertion(access)
    if mode is _PASS_THROUGH:
        return passed_backend_jwt(access.principal.facts.claims)
    assert_never(mode)
