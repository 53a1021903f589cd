"""`extauthz serve` with its catalog in a Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.authorization_server import AuthorizationServer
from support.catalogs import contents
from support.deciding import key_manager_of
from support.redis_catalogs import CATALOG_SECRET
from support.revocations import until
from support.service import Service, running_service

from extauthz.catalog.changes import Entity


@asynccontextmanager
async def catalog_service(
    folder: Path,
    server: AuthorizationServer,
    redis: dict[str, Any] | str,
    *,
    wait_for: str = "/readyz",
    secrets: dict[str, Any] | None = None,
) -> AsyncIterator[Service]:
    """A replica that looks often; `redis` is the section of the settings, or a URL."""
    _keep_secret(folder)
    section = {"url": redis} if isinstance(redis, str) else redis
    settings = {
        "catalog": {
            "redis": {"timeout_seconds": 2.0} | section,
            "secret": ["catalog-secret"],
            "reconcile_seconds": 0.2,
        },
        "secrets": {
            "backend-jwt-key": {"file": "backend-jwt-key.pem"},
            "catalog-secret": {"file": "catalog-secret"},
            "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]},
        }
        | (secrets or {}),
    }
    async with running_service(folder, server, settings=settings, wait_for=wait_for) as service:
        yield service


def _keep_secret(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "catalog-secret").write_bytes(CATALOG_SECRET)


def whole_catalog(server: AuthorizationServer, **sections: Any) -> list[Entity]:
    """That of `support.catalogs`, with a simulated issuer."""
    return list(contents(key_managers=[key_manager_of(server)], **sections).entities())


async def source_says(service: Service, *, ok: bool, detail: str = "") -> None:
    """Waits until the health of a replica says so about where its catalog comes from."""

    async def so() -> bool:
        _, health = await service.operations("/healthz")
        source = health["components"]["catalog_source"]
        return source["ok"] is ok and detail in source["detail"]

    await until(so)


async def at_revision(service: Service, revision: int) -> None:
    """Waits until a replica follows at this revision."""
    await source_says(service, ok=True, detail=f"revision {revision}")
