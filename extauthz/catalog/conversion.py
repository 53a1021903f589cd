"""A checked catalog document to the model's entities."""

from pathlib import Path
from typing import Any

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.entities import ApiDocument, ApplicationDocument, SubscriptionDocument
from extauthz.catalog.key_manager_conversion import Places, key_manager, opaque_token_rule
from extauthz.model.api import Api, Resource
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.subscription import Subscription


def contents_of(document: CatalogDocument, folder: Path) -> CatalogContents:
    """The entities of a document; certificate files are read relative to `folder`.

    Raises:
        DocumentError: a certificate file cannot be read.
    """
    organization = document.organization
    places = Places(folder=folder, certificates=folder / (document.certificate_directory or ""))
    return CatalogContents(
        key_managers=tuple(key_manager(km, organization, places) for km in document.key_managers),
        apis=tuple(_api(api, organization) for api in document.apis),
        applications=tuple(_application(application, organization) for application in document.applications),
        subscriptions=tuple(_subscription(subscription, organization) for subscription in document.subscriptions),
        opaque_token_rules=tuple(opaque_token_rule(rule, organization) for rule in document.opaque_tokens.rules),
        opaque_token_try_next=document.opaque_tokens.try_next,
    )


def _api(document: ApiDocument, organization: str) -> Api:
    resources = tuple(Resource(**resource.model_dump()) for resource in document.resources)
    return Api(**_fields(document, organization) | {"resources": resources})


def _application(document: ApplicationDocument, organization: str) -> Application:
    keys = tuple(ApplicationKey(**key.model_dump()) for key in document.keys)
    return Application(**_fields(document, organization) | {"keys": keys})


def _subscription(document: SubscriptionDocument, organization: str) -> Subscription:
    identifier = document.id or f"{document.application}:{document.api}"
    return Subscription(**_fields(document, organization) | {"id": identifier})


def _fields(document: ApiDocument | ApplicationDocument | SubscriptionDocument, organization: str) -> dict[str, Any]:
    """The document's fields have the model's names; `tests/unit/catalog` holds them to it."""
    return document.model_dump() | {"organization": document.organization or organization}
