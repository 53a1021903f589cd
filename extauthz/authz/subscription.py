"""Whether the calling application has subscribed to the API (seeds 002 and 003)."""

from typing import assert_never

from extauthz.model.application import KeyType
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SubscriptionValidation
from extauthz.model.subscription import SubscriptionState


def subscription_allows(access: Access) -> None:
    """The token's client belongs to an application whose subscription to the API is in a state that passes.

    Raises:
        Denied: resource_forbidden (no application or no subscription), subscription_blocked, subscription_inactive.
    """
    validation = access.principal.key_manager.subscription_validation
    match validation:
        case SubscriptionValidation.OFF:
            return
        case SubscriptionValidation.CATALOG:
            _by_catalog(access)
        case _:
            assert_never(validation)


def _by_catalog(access: Access) -> None:
    if access.application is None:
        raise Denied(Reason.RESOURCE_FORBIDDEN, "the token's client belongs to no application")
    if not access.api.subscription_required:
        return
    if access.subscription is None:
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"application {access.application.id} has not subscribed")
    _ensure_active(access.subscription.state, access.key_type)


def _ensure_active(state: SubscriptionState, key_type: KeyType | None) -> None:
    """WSO2's meaning of each state, as a list of what passes: a state that is not listed refuses."""
    match state:
        case SubscriptionState.UNBLOCKED | SubscriptionState.TIER_UPDATE_PENDING:
            return
        case SubscriptionState.PROD_ONLY_BLOCKED if key_type is KeyType.SANDBOX:
            return
        case SubscriptionState.BLOCKED | SubscriptionState.PROD_ONLY_BLOCKED:
            raise Denied(Reason.SUBSCRIPTION_BLOCKED, f"subscription is {state}")
        case SubscriptionState.ON_HOLD | SubscriptionState.REJECTED:
            raise Denied(Reason.SUBSCRIPTION_INACTIVE, f"subscription is {state}")
        case _:
            assert_never(state)
