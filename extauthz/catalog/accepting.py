"""Which key managers' tokens an API accepts (seed 001)."""

from extauthz.model.api import Api
from extauthz.model.key_manager import KeyManager


def accepts(api: Api, key_manager: KeyManager) -> bool:
    """Whether the key manager is of the API's organization and among those that it lists, if it lists any."""
    listed = api.key_managers is None or key_manager.id in api.key_managers
    return listed and key_manager.organization == api.organization
