"""Subscriptions of applications to APIs."""

from dataclasses import dataclass
from enum import StrEnum

from extauthz.model.key_manager import DEFAULT_ORGANIZATION


class SubscriptionState(StrEnum):
    """States of a subscription, as WSO2 names them."""

    UNBLOCKED = "UNBLOCKED"
    TIER_UPDATE_PENDING = "TIER_UPDATE_PENDING"
    BLOCKED = "BLOCKED"
    PROD_ONLY_BLOCKED = "PROD_ONLY_BLOCKED"
    ON_HOLD = "ON_HOLD"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An application's right to call an API. Unique by (application, api)."""

    id: str
    organization: str = DEFAULT_ORGANIZATION
    application: str
    """Id of the application."""
    api: str
    """Id of the API."""
    policy: str = "Unlimited"
    state: SubscriptionState = SubscriptionState.UNBLOCKED
