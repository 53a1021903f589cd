"""Whether an API takes keys for production, for its sandbox, or both."""

from extauthz.model.application import EVERY_KEY_TYPE, KeyType
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason


def key_type_allowed(access: Access) -> None:
    """The caller's key is for something that the API has; nobody says what it is for: for production.

    Raises:
        Denied: wrong_token_type.
    """
    accepted = access.api.key_types
    if accepted is EVERY_KEY_TYPE:  # most often; to look for a member of an enum in a set is a call
        return
    key_type = access.key_type or KeyType.PRODUCTION
    if key_type not in accepted:
        raise Denied(Reason.WRONG_TOKEN_TYPE, f"{access.api.id} takes no {key_type} keys")
