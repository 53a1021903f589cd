"""Small catalogs as an operator would write them, and requests to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from extauthz.catalog.contents import CatalogContents
from extauthz.catalog.conversion import contents_of
from extauthz.catalog.document import CatalogDocument
from extauthz.document.strict import loads
from extauthz.envoy.request import RequestHeaders
from extauthz.model.check import GivenDetails, RequestContext


def catalog_document(**sections: Any) -> dict[str, Any]:
    """One key manager, one API, one application with a subscription; each section can be replaced."""
    document: dict[str, Any] = {
        "key_managers": [key_manager()],
        "apis": [api()],
        "applications": [application()],
        "subscriptions": [{"application": "app", "api": "petstore", "policy": "Gold"}],
    }
    return document | sections


def key_manager(**settings: Any) -> dict[str, Any]:
    return {
        "id": "km",
        "issuer": "https://issuer.example.com",
        "jwt": {"jwks_uri": "https://issuer.example.com/jwks"},
    } | settings


def api(**settings: Any) -> dict[str, Any]:
    return {
        "id": "petstore",
        "name": "PetStore",
        "version": "v1",
        "context": "/petstore/v1",
        "resources": [
            {"template": "/pets", "methods": ["GET", "POST"], "scopes": ["read"]},
            {"template": "/pets/{petId}", "methods": ["GET"]},
            {"template": "/about", "methods": ["GET"], "open": True},
        ],
    } | settings


def application(**settings: Any) -> dict[str, Any]:
    return {
        "id": "app",
        "name": "App",
        "owner": "someone",
        "keys": [{"key_manager": "km", "client_id": "client"}],
    } | settings


def text_of(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def contents(folder: Path = Path(), **sections: Any) -> CatalogContents:
    document = loads(text_of(catalog_document(**sections)), CatalogDocument, "catalog.yaml")
    return contents_of(document, folder)


def request(
    path: str = "/petstore/v1/pets",
    *,
    method: str = "GET",
    host: str = "api.example.com",
    authorization: str | None = None,
    api_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    scheme: str = "https",
    peer_certificate: str = "",
    peer_address: str = "",
) -> RequestContext:
    given = {} if authorization is None else {"authorization": authorization}
    return RequestContext(
        method=method,
        host=host,
        path=path,
        headers=RequestHeaders(given | dict(headers or {})),
        api_id=api_id,
        details=GivenDetails(
            request_id="request-1", scheme=scheme, peer_certificate=peer_certificate, peer_address=peer_address
        ),
    )
