"""Which backend JWT a request gets: none, one of ours, or the issuer's."""

from typing import Protocol, assert_never

from extauthz.backend_jwt.pass_through import passed_backend_jwt
from extauthz.model.check import Access
from extauthz.model.key_manager import BackendJwtMode


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


async def backend_jwt(access: Access, signer: Signer | None) -> str | None:
    """The value for the upstream, or None for no header: the API wants none, or there is none to give.

    Without a signer nothing is generated; an issuer's own is passed on all the same.

    Raises:
        Denied: the issuer's own is malformed, the token's claims do not allow one, or a source of claims refuses.
        Unavailable: a source of claims does not answer.
    """
    if not access.api.backend_jwt:
        return None
    key_manager = access.principal.key_manager
    mode = BackendJwtMode.GENERATE if key_manager is None else key_manager.backend_jwt
    match mode:
        case BackendJwtMode.GENERATE:
            if signer is None:
                return None
            # Most often there is one, and nothing is waited for.
            return signer.held(access) or await signer.assertion(access)
        case BackendJwtMode.PASS_THROUGH:
            return passed_backend_jwt(access.principal.facts.claims)
        case _:
            assert_never(mode)
