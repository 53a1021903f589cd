"""The model's entities back to a catalog document."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

from extauthz.catalog.api_export import api_document
from extauthz.catalog.changes import Entity, Kind, identity_of
from extauthz.catalog.entities import (
    ApiKeyDocument,
    ApplicationDocument,
    ApplicationKeyDocument,
    SubscriptionDocument,
)
from extauthz.catalog.key_manager_export import key_manager_document, opaque_tokens_document
from extauthz.document.mistakes import DocumentError, Mistake
from extauthz.document.plain import plain
from extauthz.document.strict import Strict
from extauthz.document.text import written
from extauthz.model.api import Api
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application
from extauthz.model.key_manager import DEFAULT_ORGANIZATION, KeyManager
from extauthz.model.opaque_tokens import OpaqueTokens
from extauthz.model.subscription import Subscription
from extauthz.oauth2 import base64url

SECTIONS: Mapping[Kind, str] = {
    Kind.KEY_MANAGER: "key_managers",
    Kind.OPAQUE_TOKENS: "opaque_tokens",
    Kind.API: "apis",
    Kind.APPLICATION: "applications",
    Kind.API_KEY: "api_keys",
    Kind.SUBSCRIPTION: "subscriptions",
}
"""Where each kind stands in a catalog document."""
_LAST_TIME = 253_402_300_799.0
"""9999-12-31, the last day that a document can name."""


def document_of(entity: Entity) -> Strict:
    """The part of a catalog document that stands for an entity; it names its organization.

    Raises:
        DocumentError: there is none, so it was written by another version of this program.
    """
    try:
        return _document(entity)
    except ValueError as error:  # pydantic's is one
        identity = identity_of(entity)
        what = f"`{identity.id}` of organization `{identity.organization}`"
        mistake = Mistake(location=(SECTIONS[identity.kind],), message=f"{what} is not valid here: {error}")
        raise DocumentError("the catalog in Redis", [mistake]) from error


def catalog_text(entities: Iterable[Entity]) -> str:
    """A whole catalog document in YAML, with all certificates in it.

    Raises:
        DocumentError: as `document_of`.
    """
    documents: dict[str, Any] = {}
    for entity in entities:
        section = SECTIONS[identity_of(entity).kind]
        if isinstance(entity, OpaqueTokens):
            documents[section] = plain(document_of(entity))
        else:
            documents.setdefault(section, []).append(plain(document_of(entity)))
    parts = [part for section in documents.values() for part in _parts(section)]
    organizations = {part["organization"] for part in parts}
    if len(organizations) == 1:
        for part in parts:
            del part["organization"]
        only = organizations.pop()
        documents = ({} if only == DEFAULT_ORGANIZATION else {"organization": only}) | documents
    return written(documents)


def _parts(section: Any) -> list[dict[str, Any]]:
    return list(section.get("rules", ()) if isinstance(section, dict) else section)


def _document(entity: Entity) -> Strict:
    match entity:
        case KeyManager():
            return key_manager_document(entity)
        case OpaqueTokens():
            return opaque_tokens_document(entity)
        case Api():
            return api_document(entity)
        case Application():
            return _application(entity)
        case ApiKey():
            return _api_key(entity)
        case Subscription():
            return _subscription(entity)
        case _:
            assert_never(entity)


def _application(application: Application) -> ApplicationDocument:
    return ApplicationDocument(
        id=application.id,
        organization=application.organization,
        name=application.name,
        owner=application.owner,
        policy=application.policy,
        attributes=dict(application.attributes),
        keys=tuple(
            ApplicationKeyDocument(key_manager=key.key_manager, client_id=key.client_id, key_type=key.key_type)
            for key in application.keys
        ),
    )


def _subscription(subscription: Subscription) -> SubscriptionDocument:
    by_default = f"{subscription.application}:{subscription.api}"
    return SubscriptionDocument(
        application=subscription.application,
        api=subscription.api,
        id=None if subscription.id == by_default else subscription.id,
        organization=subscription.organization,
        policy=subscription.policy,
        state=subscription.state,
    )


def _api_key(key: ApiKey) -> ApiKeyDocument:
    return ApiKeyDocument(
        id=key.id,
        organization=key.organization,
        hash=base64url.encode(key.hash),
        application=key.application,
        key_type=key.key_type,
        scopes=key.scopes,
        expires_at=None if key.expires_at is None else _time(key.expires_at),
        enabled=key.enabled,
        allowed_addresses=tuple(str(network) for network in key.allowed_addresses),
        allowed_referers=key.allowed_referers,
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LAST_TIME), UTC).isoformat()
