"""Which backend JWT a request gets: none, one of ours, or the issuer's."""

from typing import Protocol, assert_never

from extauthz.backend_jwt.pass_through import passed_backend_jwt
from extauthz.model.check import Access
from extauthz.model.key_manager import BackendJwtMode


class Signer(Protocol):
    """Makes the assertion about an access (`BackendJwtSigner`)."""

    def assertion(self, access: Access) -> str:
        """A JWT in compact form; Denied when the claims do not allow one."""
        ...


def backend_jwt(access: Access, signer: Signer | None) -> str | None:
    """The value for the upstream, or None for no header: the API wants none, or there is none to give.

    Without a signer nothing is generated; an issuer's own is passed on all the same.

    Raises:
        Denied: the issuer's own is malformed, or the token's claims do not allow one.
    """
    if not access.api.backend_jwt:
        return None
    mode = access.principal.key_manager.backend_jwt
    match mode:
        case BackendJwtMode.GENERATE:
            return None if signer is None else signer.assertion(access)
        case BackendJwtMode.PASS_THROUGH:
            return passed_backend_jwt(access.principal.facts.claims)
        case _:
            assert_never(mode)
