"""Whether the calling application has subscribed to the API (seeds 002 and 003)."""

from typing import assert_never

from extauthz.model.application import KeyType
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SubscriptionValidation
from extauthz.model.subscription import SubscriptionState


def subscription_allows(access: Access) -> None:
    """The caller belongs to an application whose subscription to the API is in a state that passes.

    A registered certificate needs none: its registration is one.

    Raises:
        Denied: resource_forbidden (no application or no subscription), subscription_blocked, subscription_inactive.
    """
    if access.principal.certificate is not None:
        return
    key_manager = access.principal.key_manager
    validation = SubscriptionValidation.CATALOG if key_manager is None else key_manager.subscription_validation
    match validation:
        case SubscriptionValidation.OFF:
            return
        case SubscriptionValidation.CATALOG:
            if access.application is None:
                raise Denied(Reason.RESOURCE_FORBIDDEN, "the caller belongs to no application")
            _ensure_subscribed(access)
        case SubscriptionValidation.CLAIM:
            # The token's issuer has answered for the application, whether the token names it or not.
            _ensure_subscribed(access)
        case _:
            assert_never(validation)


def _ensure_subscribed(access: Access) -> None:
    if not access.api.subscription_required:
        return
    if access.subscription is None:
        who = "the caller" if access.application is None else f"application {access.application.id}"
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"{who} has not subscribed")
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
