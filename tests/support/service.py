"""`extauthz serve` as operators run it: a process with files, a port for Envoy and one for operators."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.authorization_server import AuthorizationServer
from support.catalogs import catalog_document, text_of
from support.deciding import key_manager_of
from support.signing_keys import private_key

from extauthz.cli.demo.processes import Processes, Program, Ready
from extauthz.cli.demo.programs import answers_ok, free_port

CACHE_SECRET = "a secret of at least 32 bytes, for tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running replica."""

    folder: Path
    processes: Processes
    port: int
    operations_port: int
    process_id: int

    async def operations(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a page for operators."""
        url = f"http://127.0.0.1:{self.operations_port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.json(content_type=None)

    def logged(self) -> str:
        """All that it printed until now."""
        return self.processes.log("extauthz").read_text(encoding="utf-8")

    def write_catalog(self, document: dict[str, Any]) -> None:
        """Puts another catalog into its file."""
        (self.folder / "catalog.yaml").write_text(text_of(document), encoding="utf-8")


def write_files(folder: Path, server: AuthorizationServer, settings: dict[str, Any], catalog: dict[str, Any]) -> None:
    """Settings, catalog and keys of a replica that knows a simulated issuer."""
    key = private_key("ES256", "backend")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    folder.mkdir(exist_ok=True)
    (folder / "backend-jwt-key.pem").write_bytes(pem)
    document = {
        "catalog": {"file": "catalog.yaml", "reload_seconds": 0.05},
        "backend_jwt": {"keys": [{"key": "backend-jwt-key", "algorithm": "ES256"}]},
        "limits": {"drain_seconds": 0},
        "secrets": {
            "backend-jwt-key": {"file": "backend-jwt-key.pem"},
            "cache-secret": {"env": "TEST_CACHE_SECRET"},
            "gateway": {"env": "TEST_GATEWAY_SECRET", "hosts": ["127.0.0.1"]},
        },
    }
    (folder / "extauthz.yaml").write_text(yaml.safe_dump(document | settings), encoding="utf-8")
    catalog = catalog_document(key_managers=[key_manager_of(server)]) | catalog
    (folder / "catalog.yaml").write_text(text_of(catalog), encoding="utf-8")


@asynccontextmanager
async def running_service(
    folder: Path,
    server: AuthorizationServer,
    *,
    settings: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    wait_for: str = "/readyz",
) -> AsyncIterator[Service]:
    """A replica, its files in `folder`; top-level parts of both files can be replaced."""
    port, operations_port = free_port(), free_port()
    settings = settings or {}
    operations = {"listen": f"127.0.0.1:{operations_port}"} | settings.get("operations", {})
    addressed = {"listen": f"127.0.0.1:{port}"} | settings | {"operations": operations}
    write_files(folder, server, addressed, catalog or {})
    async with Processes(folder) as processes:
        program = serve_program(folder, server, answers_ok(f"http://127.0.0.1:{operations_port}{wait_for}"))
        process_id = await processes.start(program)
        yield Service(
            folder=folder, processes=processes, port=port, operations_port=operations_port, process_id=process_id
        )


def serve_program(folder: Path, server: AuthorizationServer, ready: Ready) -> Program:
    """The command line of a replica."""
    return Program(
        name="extauthz",
        argv=(sys.executable, "-X", "dev", "-m", "extauthz", "serve", "--config", str(folder / "extauthz.yaml")),
        ready=ready,
        environment={"TEST_CACHE_SECRET": CACHE_SECRET, "TEST_GATEWAY_SECRET": server.client_secret},
    )
