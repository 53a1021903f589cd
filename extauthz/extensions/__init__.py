"""What authors of extensions import (docs/extensions.md); these names stay, whatever moves behind them."""

from extauthz.extensions.known_caller import known_caller
from extauthz.extensions.protocols import Authenticator, Authorizer, ClaimSource
from extauthz.model.api import Api, Resource
from extauthz.model.application import Application, KeyType
from extauthz.model.check import Access, GivenDetails, Headers, Principal, RequestContext
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts

__all__ = [
    "Access",
    "Api",
    "Application",
    "Authenticator",
    "Authorizer",
    "ClaimSource",
    "Denied",
    "GivenDetails",
    "Headers",
    "KeyType",
    "Principal",
    "Reason",
    "RequestContext",
    "Resource",
    "Subscription",
    "TokenFacts",
    "Unavailable",
    "known_caller",
]
