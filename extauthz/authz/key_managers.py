"""Which key managers' tokens an API accepts (seed 001, key manager restrictions)."""

from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason


def key_manager_allowed(access: Access) -> None:
    """The token's key manager belongs to the API's organization and is one of those that the API accepts.

    Raises:
        Denied: resource_forbidden.
    """
    key_manager, api = access.principal.key_manager, access.api
    if key_manager.organization != api.organization:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"key manager {key_manager.id} belongs to another organization")
    if api.key_managers is not None and key_manager.id not in api.key_managers:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"{api.id} does not accept key manager {key_manager.id}")
