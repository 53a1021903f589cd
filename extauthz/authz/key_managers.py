"""Whose credentials an API accepts (seed 001, key manager restrictions)."""

from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason


def key_manager_allowed(access: Access) -> None:
    """The token's key manager belongs to the API's organization and is one of those that the API accepts.

    An API key belongs to the organization itself; it is nobody's token.

    Raises:
        Denied: resource_forbidden.
    """
    principal, api = access.principal, access.api
    key_manager = principal.key_manager
    if key_manager is None:
        _ensure_own_key(principal.api_key, api)
        return
    if key_manager.organization != api.organization:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"key manager {key_manager.id} belongs to another organization")
    if api.key_managers is not None and key_manager.id not in api.key_managers:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"{api.id} does not accept key manager {key_manager.id}")


def _ensure_own_key(api_key: ApiKey | None, api: Api) -> None:
    if api_key is not None and api_key.organization != api.organization:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"API key {api_key.id} belongs to another organization")
