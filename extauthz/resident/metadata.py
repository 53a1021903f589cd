"""What clients can find out about the server by themselves (RFC 8414)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc8414 import get_well_known_url

from extauthz.resident.client import GRANT_TYPES, Client
from extauthz.resident.client_authentication import METHODS

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
INTROSPECTION_PATH = "/oauth2/introspect"
REVOCATION_PATH = "/oauth2/revoke"
JWKS_PATH = "/oauth2/jwks"


def base_path(issuer: str) -> str:
    """The path under which the endpoints stand: the issuer's own, so that its URLs are true behind any proxy."""
    return urlsplit(issuer).path


def metadata_path(issuer: str) -> str:
    """RFC 8414 §3.1: the well-known part comes before the issuer's path."""
    path: str = get_well_known_url(issuer)
    return path


def metadata(issuer: str, clients: Iterable[Client]) -> dict[str, Any]:
    """RFC 8414 §2."""
    scopes = sorted({scope for client in clients for scope in client.scopes})
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "introspection_endpoint": issuer + INTROSPECTION_PATH,
        "revocation_endpoint": issuer + REVOCATION_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "grant_types_supported": sorted(GRANT_TYPES),
        # §2 requires it even of a server without an authorization endpoint; so it stays, though §3.2 omits empty lists.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        **({"scopes_supported": scopes} if scopes else {}),
    }
