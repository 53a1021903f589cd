"""Subscriptions as a verified token claims them (WSO2's claim mode, wso2-facts §1.6.4)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from extauthz.model.api import Api
from extauthz.model.application import Application, KeyType
from extauthz.model.errors import Denied, Reason
from extauthz.model.subscription import Subscription
from extauthz.model.token import TokenFacts

_UNLIMITED = "Unlimited"


class ClaimedAccess(NamedTuple):
    """What a token says about its application, and about its subscription to one API."""

    application: Application | None
    """None: it says nothing about the application."""
    key_type: KeyType
    subscription: Subscription | None
    """None: it claims no subscription to this API."""


def claimed_access(facts: TokenFacts, api: Api) -> ClaimedAccess:
    """What a token's claims come to; only for key managers that are trusted to say it.

    Raises:
        Denied: resource_forbidden or wrong_token_type: a claim is there that does not mean anything.
    """
    application = _application(facts.claims.get("application"), api)
    entry = _entry(facts.claims.get("subscribedAPIs"), api)
    key_type = _key_type(facts.claims.get("keytype"))
    subscription = None if entry is None else _subscription(entry, application, facts, api)
    return ClaimedAccess(application, key_type, subscription)


def _application(claim: object, api: Api) -> Application | None:
    if claim is None:
        return None
    members = claim if isinstance(claim, dict) else {}
    name = _text(members, "uuid") or _text(members, "id") or _number(members, "id")
    if name is None:
        raise Denied(Reason.RESOURCE_FORBIDDEN, "the token's `application` names none")
    return Application(
        id=name,
        organization=api.organization,
        name=_text(members, "name") or name,
        owner=_text(members, "owner") or "",
        policy=_text(members, "tier") or _UNLIMITED,
    )


def _entry(claim: object, api: Api) -> Mapping[str, Any] | None:
    """The first entry that is about the API."""
    entries: Iterable[object] = claim if isinstance(claim, list) else ()
    return next((entry for entry in entries if isinstance(entry, dict) and _is_about(entry, api)), None)


def _is_about(entry: Mapping[str, Any], api: Api) -> bool:
    named = (entry.get("name"), entry.get("context"), entry.get("version")) == (api.name, api.context, api.version)
    return named and (not api.publisher or entry.get("publisher") == api.publisher)


def _key_type(claim: Any) -> KeyType:
    if claim is None:
        return KeyType.PRODUCTION
    try:
        return KeyType(claim)
    except ValueError as error:
        raise Denied(Reason.WRONG_TOKEN_TYPE, "the token's `keytype` is not a known one") from error


def _subscription(
    entry: Mapping[str, Any], application: Application | None, facts: TokenFacts, api: Api
) -> Subscription:
    subscriber = application.id if application else facts.client_id or ""
    return Subscription(
        id=f"{subscriber}:{api.id}",
        organization=api.organization,
        application=subscriber,
        api=api.id,
        policy=_text(entry, "subscriptionTier") or _UNLIMITED,
    )


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


def _number(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
