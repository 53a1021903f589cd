"""Settings and catalog as an operator would write them, for the replicas that are measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.catalogs import api, application, catalog_document, text_of
from support.service import CACHE_SECRET
from support.signing_keys import private_key

from benchmarks.issuer import Issuer

BACKEND_JWT = {"keys": [{"key": "backend-jwt-key", "algorithm": "ES256"}]}
"""A value for `backend_jwt`; without one no backend JWT is made, as by default."""


def environment(issuer: Issuer) -> dict[str, str]:
    """The secrets that the settings name."""
    return {"TEST_CACHE_SECRET": CACHE_SECRET, "TEST_GATEWAY_SECRET": issuer.client_secret}


def write_files(folder: Path, issuer: Issuer, settings: Mapping[str, Any], *, apis: int = 1) -> Path:
    """Everything that is not in `settings` is as by default. Returns the path of the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    pem = private_key("ES256", "backend").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "backend-jwt-key.pem").write_bytes(pem)
    document = {
        "catalog": {"file": "catalog.yaml"},
        "limits": {"drain_seconds": 0},
        "secrets": {
            "backend-jwt-key": {"file": "backend-jwt-key.pem"},
            "cache-secret": {"env": "TEST_CACHE_SECRET"},
            "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]},
        },
    }
    path = folder / "extauthz.yaml"
    path.write_text(yaml.safe_dump(document | dict(settings)), encoding="utf-8")
    (folder / "catalog.yaml").write_text(text_of(_catalog(issuer, apis)), encoding="utf-8")
    return path


def _catalog(issuer: Issuer, apis: int) -> dict[str, Any]:
    """The API that is asked for, and others around it."""
    others = [api(id=f"api-{number}", name=f"API {number}", context=f"/api{number}/v1") for number in range(1, apis)]
    return catalog_document(key_managers=[issuer.key_manager], apis=[api(), *others], applications=[application()])
