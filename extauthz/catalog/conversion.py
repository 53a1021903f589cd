"""A checked catalog document to the model's entities."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.document import CatalogDocument
from extauthz.catalog.entities import (
    ApiDocument,
    ApplicationDocument,
    CertificateDocument,
    IntrospectionDocument,
    JwtDocument,
    KeyManagerDocument,
    SubscriptionDocument,
)
from extauthz.document.text import read
from extauthz.model.api import Api, Resource
from extauthz.model.application import Application, ApplicationKey
from extauthz.model.key_manager import BasicAuthentication, Introspection, JwtValidation, KeyManager
from extauthz.model.subscription import Subscription

_FINGERPRINT_VERSION = 1
_NOT_VALIDATION = frozenset({"fingerprint", "enabled", "subscription_validation", "backend_jwt"})
"""Settings that are looked at on every Check, so that a change of them need not forget what is cached."""


def contents_of(document: CatalogDocument, folder: Path) -> CatalogContents:
    """The entities of a document; certificate files are read relative to `folder`.

    Raises:
        DocumentError: a certificate file cannot be read.
    """
    organization = document.organization
    return CatalogContents(
        key_managers=tuple(_key_manager(km, organization, folder) for km in document.key_managers),
        apis=tuple(_api(api, organization) for api in document.apis),
        applications=tuple(_application(application, organization) for application in document.applications),
        subscriptions=tuple(_subscription(subscription, organization) for subscription in document.subscriptions),
    )


def fingerprint(key_manager: KeyManager) -> bytes:
    """SHA-256 over the canonical JSON of the settings that decide what is a valid token, and a format version."""
    settings = {name: value for name, value in asdict(key_manager).items() if name not in _NOT_VALIDATION}
    canonical = json.dumps([_FINGERPRINT_VERSION, settings], sort_keys=True, default=sorted, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def _key_manager(document: KeyManagerDocument, organization: str, folder: Path) -> KeyManager:
    key_manager = KeyManager(
        id=document.id,
        organization=document.organization or organization,
        issuer=document.issuer,
        enabled=document.enabled,
        jwt=_jwt(document.jwt, folder) if document.jwt else None,
        introspection=_introspection(document.introspection) if document.introspection else None,
        clock_skew_seconds=document.clock_skew_seconds,
        client_id_claim=document.client_id_claim,
        scopes_claim=document.scopes_claim,
        subscription_validation=document.subscription_validation,
        backend_jwt=document.backend_jwt,
    )
    return replace(key_manager, fingerprint=fingerprint(key_manager))


def _jwt(document: JwtDocument, folder: Path) -> JwtValidation:
    return JwtValidation(
        jwks_uri=document.jwks_uri,
        certificates=tuple(_pem(certificate, folder) for certificate in document.certificates),
        algorithms=document.algorithms,
        audiences=document.audiences,
        token_types=frozenset(name.lower().removeprefix("application/") for name in document.token_types),
    )


def _pem(document: CertificateDocument, folder: Path) -> str:
    return document.pem if document.pem is not None else read(folder / (document.file or ""))


def _introspection(document: IntrospectionDocument) -> Introspection:
    basic = document.authentication.basic
    return Introspection(
        endpoint=document.endpoint,
        authentication=BasicAuthentication(username=basic.username, password_secret=basic.password),
        timeout_seconds=document.timeout_seconds,
        audiences=document.audiences,
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
