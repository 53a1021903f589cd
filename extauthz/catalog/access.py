"""Who calls what: everything that an authorizer may look at, found by a few look-ups in dictionaries."""

from dataclasses import replace
from typing import assert_never

from extauthz.catalog.claimed_access import claimed_access
from extauthz.catalog.indexes import Indexes
from extauthz.model.api import Api, ResourceMatch
from extauthz.model.api_key import ApiKey
from extauthz.model.application import KeyType
from extauthz.model.check import Access, Principal
from extauthz.model.errors import Denied, Reason, Unavailable
from extauthz.model.key_manager import KeyManager, SubscriptionValidation


def access(indexes: Indexes, principal: Principal, match: ResourceMatch) -> Access:
    """What is known about a caller and an API.

    Everything is looked up again by id, since the catalog may have changed while a credential was being checked.

    Raises:
        Denied: the credential is gone or another one now; or its own claims refuse.
        Unavailable: the API or the resource has changed under this request.
    """
    api = _current_api(indexes, match)
    if principal.key_manager is not None:
        return _by_token(indexes, principal, principal.key_manager, api, match)
    if principal.api_key is not None:
        _ensure_current_key(indexes, principal.api_key)
        return _by_name(indexes, principal, principal.api_key.key_type, api, match)
    if principal.certificate is not None:
        if principal.certificate not in api.security.certificates:
            raise Denied(Reason.INVALID_TOKEN, "the client's certificate is not registered any more")
        return Access(api=api, resource=match.resource, principal=principal, key_type=principal.certificate.key_type)
    return _by_name(indexes, principal, None, api, match)


def _current_api(indexes: Indexes, match: ResourceMatch) -> Api:
    indexed = indexes.apis.get(match.api.id)
    api = indexed.api if indexed else None
    if api is match.api:
        return api
    if api is None or match.resource not in api.resources or api.security != match.api.security:
        raise Unavailable("catalog", f"{match.api.id} changed during the check")
    return api


def _by_token(
    indexes: Indexes, principal: Principal, key_manager: KeyManager, api: Api, match: ResourceMatch
) -> Access:
    now = indexes.key_managers.get((key_manager.organization, key_manager.id))
    if now is None or now.fingerprint != key_manager.fingerprint:
        raise Denied(Reason.INVALID_TOKEN, f"key manager {key_manager.id} changed during the check")
    caller = principal if now is key_manager else replace(principal, key_manager=now)
    match now.subscription_validation:
        case SubscriptionValidation.CATALOG | SubscriptionValidation.OFF:
            client = indexes.client(api.organization, key_manager.id, principal.facts.client_id or "")
            application, key = client or (None, None)
            return Access(
                api=api,
                resource=match.resource,
                principal=caller,
                application=application,
                key_type=key.key_type if key else None,
                subscription=indexes.subscription(application.id, api.id) if application else None,
            )
        case SubscriptionValidation.CLAIM:
            claimed = claimed_access(principal.facts, api)
            return Access(
                api=api,
                resource=match.resource,
                principal=caller,
                application=claimed.application,
                key_type=claimed.key_type,
                subscription=claimed.subscription,
            )
        case _:
            assert_never(now.subscription_validation)


def _by_name(
    indexes: Indexes, principal: Principal, key_type: KeyType | None, api: Api, match: ResourceMatch
) -> Access:
    """By the application that the credential names."""
    application = indexes.applications.get((api.organization, principal.application or ""))
    return Access(
        api=api,
        resource=match.resource,
        principal=principal,
        application=application,
        key_type=key_type,
        subscription=indexes.subscription(application.id, api.id) if application else None,
    )


def _ensure_current_key(indexes: Indexes, key: ApiKey) -> None:
    if indexes.api_keys.get(key.hash) != key:
        raise Denied(Reason.INVALID_TOKEN, f"API key {key.id} changed during the check")
