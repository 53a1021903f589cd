"""Whether the token's scopes cover the resource (seed 002, RFC 6749 §3.3)."""

from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason


def scope_granted(access: Access) -> None:
    """Any one of the resource's scopes is enough (WSO2's rule); none listed, none needed.

    Raises:
        Denied: insufficient_scope, with the scopes that would have done.
    """
    wanted = access.resource.scopes
    if wanted and wanted.isdisjoint(access.principal.facts.scopes):
        raise Denied(Reason.INSUFFICIENT_SCOPE, f"none of the scopes of {access.resource.template}", scopes=wanted)
