"""A checked catalog document to the model's entities."""

from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

from extauthz.catalog.api_conversion import api
from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.entities import ApiKeyDocument, ApplicationDocument, SubscriptionDocument
from extauthz.catalog.key_manager_conversion import key_manager, opaque_tokens
from extauthz.catalog.places import Places
from extauthz.model.api_key import ApiKey
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.subscription import Subscription
from extauthz.oauth2 import base64url


def contents_of(document: CatalogDocument, folder: Path, *, later: Path | None = None) -> CatalogContents:
    """The entities of a document; certificates are read relative to `folder`, other files are so if not to `later`.

    Raises:
        DocumentError: a certificate file cannot be read.
    """
    organization = document.organization
    certificates = folder / (document.certificate_directory or "")
    places = Places(folder=folder, certificates=certificates, later=folder if later is None else later)
    return CatalogContents(
        key_managers=tuple(key_manager(km, organization, places) for km in document.key_managers),
        apis=tuple(api(each, organization, places) for each in document.apis),
        applications=tuple(_application(application, organization) for application in document.applications),
        subscriptions=tuple(_subscription(subscription, organization) for subscription in document.subscriptions),
        api_keys=tuple(_api_key(key, organization) for key in document.api_keys),
        opaque_tokens=opaque_tokens(document.opaque_tokens, organization),
    )


def _application(document: ApplicationDocument, organization: str) -> Application:
    return Application(
        id=document.id,
        organization=document.organization or organization,
        name=document.name,
        owner=document.owner,
        policy=document.policy,
        attributes=document.attributes,
        keys=tuple(
            ApplicationKey(client_id=key.client_id, key_manager=key.key_manager, key_type=key.key_type)
            for key in document.keys
        ),
    )


def _subscription(document: SubscriptionDocument, organization: str) -> Subscription:
    return Subscription(
        id=document.id or f"{document.application}:{document.api}",
        organization=document.organization or organization,
        application=document.application,
        api=document.api,
        policy=document.policy,
        state=document.state,
    )


def _api_key(document: ApiKeyDocument, organization: str) -> ApiKey:
    return ApiKey(
        id=document.id,
        organization=document.organization or organization,
        hash=base64url.decode(document.hash),
        application=document.application,
        key_type=document.key_type,
        scopes=document.scopes,
        expires_at=datetime.fromisoformat(document.expires_at).timestamp() if document.expires_at else None,
        enabled=document.enabled,
        allowed_addresses=tuple(ip_network(network) for network in document.allowed_addresses),
        allowed_referers=document.allowed_referers,
    )
