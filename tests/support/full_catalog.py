"""A catalog document with something of everything, and the files that it names."""

from pathlib import Path
from typing import Any

from support.catalogs import api, application, key_manager
from support.certificate_authority import CertificateAuthority

TOKEN_REQUEST = {"token_endpoint": "https://issuer.example.com/token", "client_id": "c", "client_secret": "client"}
WAYS: dict[str, dict[str, Any]] = {
    "basic": {"username": "u", "password": "word"},
    "client_secret_post": {"client_id": "c", "client_secret": "client"},
    "private_key_jwt": {"client_id": "c", "key": "pem", "algorithm": "ES256", "kid": "1", "audience": "https://aud"},
    "mutual_tls": {"client_id": "c", "certificate_file": "tls/client.pem", "key": "pem"},
    "client_credentials": {**TOKEN_REQUEST, "scopes": ["introspect"]},
    "password": {
        **TOKEN_REQUEST,
        "credentials": "body",
        "username": "u",
        "password": "word",
        "refresh": {**TOKEN_REQUEST, "refresh_token": "first"},
    },
    "direct_token": {
        "access_token": "token",
        "refresh": {
            "token_endpoint": "https://issuer.example.com/token",
            "client_id": "c",
            "credentials": "none",
            "refresh_token": "first",
        },
    },
}


def full_catalog(folder: Path) -> dict[str, Any]:
    """Written as somebody would, in two organizations; certificates are in files below `folder`."""
    authority = CertificateAuthority(folder)
    partner, _ = authority.certificate("partner")
    return {
        "organization": "acme",
        "key_managers": [*_by_way(), _by_jwt(authority.ca_file.name), key_manager(organization="other")],
        "opaque_tokens": {
            "rules": [
                {"key_manager": "by_basic", "prefix": "b-"},
                {"key_manager": "by_password", "pattern": "^[0-9a-f]{32}$"},
                {"key_manager": "by_mutual_tls", "header": {"name": "X-Issuer", "value": "tls"}},
            ],
            "try_next": 2,
        },
        "apis": [_full_api(partner.name), api(id="plain", context="/plain"), api(id="o", organization="other")],
        "applications": [
            application(keys=[{"key_manager": "by_jwt", "client_id": "c", "key_type": "SANDBOX"}], policy="Gold")
            | {"attributes": {"région": "été", "n": "1e3"}},
            application(id="elsewhere", organization="other", owner=""),
        ],
        "subscriptions": [
            {"application": "app", "api": "full", "id": "s-1", "policy": "Gold", "state": "PROD_ONLY_BLOCKED"},
            {"application": "app", "api": "plain"},
            {"application": "elsewhere", "api": "o", "organization": "other"},
        ],
        "api_keys": [
            {
                "id": "k",
                "hash": "A" * 43,
                "application": "app",
                "key_type": "SANDBOX",
                "scopes": ["read"],
                "expires_at": "2031-05-06T07:08:09.123456+02:00",
                "allowed_addresses": ["192.0.2.7", "2001:db8::/32"],
                "allowed_referers": ["*.example.com/*"],
            },
            {"id": "off", "hash": "B" * 42 + "A", "application": "app", "enabled": False},
        ],
    }


def _by_way() -> list[dict[str, Any]]:
    introspection = {
        "endpoint": "https://issuer.example.com/introspect",
        "timeout_seconds": 1.5,
        "circuit_breaker": {"failures": 3},
        "audiences": ["a"],
        "token_types": ["Bearer"],
        "stale_if_error_seconds": 60.0,
    }
    return [
        {
            "id": f"by_{way}",
            "issuer": f"https://{way}.example.com",
            "binding": "any",
            "introspection": introspection | {"authentication": {way: WAYS[way]}},
        }
        for way in WAYS
    ]


def _by_jwt(ca_file: str) -> dict[str, Any]:
    return {
        "id": "by_jwt",
        "issuer": "https://jwt.example.com",
        "enabled": False,
        "introspect_failed_jwt": True,
        "jwt": {
            "discovery": True,
            "ca_file": "tls/ca.pem",
            "certificates": [{"file": ca_file}, {"alias": "authority"}],
            "certificate_validity": False,
            "algorithms": ["ES256", "EdDSA"],
            "audiences": ["one", "two"],
            "token_types": ["at+JWT", "application/at+jwt"],
            "decryption": {"keys": ["pem"], "encryptions": ["A128GCM"]},
        },
        "introspection": {
            "endpoint": "http://introspection.internal/introspect",
            "authentication": {"basic": WAYS["basic"]},
            "signed_answer": {"audience": "us", "required": False},
            "ca_file": "/etc/ca.pem",
        },
        "userinfo": {"endpoint": "https://jwt.example.com/userinfo", "ttl_seconds": 60.0, "ca_file": "tls/ca.pem"},
        "allow_plain_http": True,
        "clock_skew_seconds": 30,
        "client_id_claim": "cid",
        "scopes_claim": "off",
        "claim_mapping": {"sub_id": "user", "http://x/claims/role": "role"},
        "subscription_validation": "off",
        "backend_jwt": "pass_through",
    }


def _full_api(certificate: str) -> dict[str, Any]:
    return {
        "id": "full",
        "name": "Full: yes",
        "version": "1.0",
        "context": "/full/{version}/1.0",
        "default_version": True,
        "hosts": ["api.example.com", "*.example.org"],
        "publisher": "12:30",
        "state": "BLOCKED",
        "resources": [
            {"template": "/pets/{id}", "methods": ["GET", "PUT"], "scopes": ["b", "a"], "scope_rule": "all"},
            {"template": "/open/*", "methods": ["GET", "WEBSOCKET"], "open": True},
        ],
        "key_managers": ["by_basic", "by_jwt"],
        "security": {
            "oauth2": False,
            "api_key": {"header": "X-API-Key", "query": "key"},
            "application": "optional",
            "mutual_tls": "mandatory",
            "certificates": [{"file": certificate, "policy": "Gold", "key_type": "SANDBOX", "scopes": ["a"]}],
        },
        "subscription_required": False,
        "key_types": ["PRODUCTION"],
        "audiences": ["https://api.example.com"],
        "scope_matching": "hierarchical",
        "cors": {"origins": ["https://app.example.com"], "credentials": True, "exposed_headers": ["X-Total"]},
        "forward_authorization": True,
        "forward_client_certificate": True,
        "backend_jwt": False,
        "backend_jwt_audience": ["b", "a"],
        "shadow": True,
    }
