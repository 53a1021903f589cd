"""Whether the calling application has subscribed to the API (seeds 002 and 003)."""

from typing import Final, assert_never

from extauthz.model.application import KeyType
from extauthz.model.check import Access
from extauthz.model.errors import Denied, Reason
from extauthz.model.key_manager import SubscriptionValidation
from extauthz.model.subscription import SubscriptionState

# Bound once, as in `api_state`.
_CATALOG: Final = SubscriptionValidation.CATALOG
_CLAIM: Final = SubscriptionValidation.CLAIM
_OFF: Final = SubscriptionValidation.OFF
_UNBLOCKED: Final = SubscriptionState.UNBLOCKED
_TIER_UPDATE_PENDING: Final = SubscriptionState.TIER_UPDATE_PENDING


def subscription_allows(access: Access) -> None:
    """The caller belongs to an application whose subscription to the API is in a state that passes.

    A registered certificate needs none: its registration is one.

    Raises:
        Denied: resource_forbidden (no application or no subscription), subscription_blocked, subscription_inactive.
    """
    principal = access.principal
    if principal.certificate is not None:
        return
    key_manager = principal.key_manager
    validation = _CATALOG if key_manager is None else key_manager.subscription_validation
    if validation is _OFF:
        return
    if validation is _CATALOG:
        if access.application is None:
            raise Denied(Reason.RESOURCE_FORBIDDEN, "the caller belongs to no application")
    elif validation is not _CLAIM:  # there the issuer has answered for the application, whether it names it or not
        assert_never(validation)
    if not access.api.subscription_required:
        return
    subscription = access.subscription
    if subscription is None:
        who = "the caller" if access.application is None else f"application {access.application.id}"
        raise Denied(Reason.RESOURCE_FORBIDDEN, f"{who} has not subscribed")
    _ensure_active(subscription.state, access.key_type)


def _ensure_active(state: SubscriptionState, key_type: KeyType | None) -> None:
    """WSO2's meaning of each state, as a list of what passes: a state that is not listed refuses."""
    if state is _UNBLOCKED or state is _TIER_UPDATE_PENDING:
        return
    match state:
        case SubscriptionState.PROD_ONLY_BLOCKED if key_type is KeyType.SANDBOX:
            return
        case SubscriptionState.BLOCKED | SubscriptionState.PROD_ONLY_BLOCKED:
            raise Denied(Reason.SUBSCRIPTION_BLOCKED, f"subscription is {state}")
        case SubscriptionState.ON_HOLD | SubscriptionState.REJECTED:
            raise Denied(Reason.SUBSCRIPTION_INACTIVE, f"subscription is {state}")
        case _:
            assert_never(state)
