"""The data plane of a process that reads its settings again, without its ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from support.authorization_server import AuthorizationServer
from support.catalogs import catalog_document, text_of
from support.check_client import CheckResponse, check_request
from support.clock import Clock
from support.deciding import key_manager_of

from extauthz.data_plane.lasting import Lasting
from extauthz.data_plane.named_files import signatures, watched_files
from extauthz.data_plane.reload import Reload
from extauthz.data_plane.running import RunningPlane
from extauthz.data_plane.switch import SETTINGS_COMPONENT, Switch
from extauthz.document.strict import load
from extauthz.settings.process import Settings
from extauthz.telemetry.health import Component

OPERATOR_TOKEN = "a secret of at least 32 bytes, for operators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a process reads."""

    folder: Path
    server: AuthorizationServer
    document: dict[str, Any] = field(default_factory=dict)
    """The settings, apart from what each test has."""

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "extauthz.yaml"

    def write(self, **sections: Any) -> None:
        """Puts other sections into the settings file."""
        self.config.write_text(yaml.safe_dump(self.document | sections), encoding="utf-8")

    def write_catalog(self, **sections: Any) -> None:
        """Puts other sections into the catalog."""
        key_manager = key_manager_of(self.server)
        key_manager["introspection"]["timeout_seconds"] = 30
        document = catalog_document(key_managers=[key_manager]) | sections
        (self.folder / "catalog.yaml").write_text(text_of(document), encoding="utf-8")

    def write_secret(self, name: str, value: str) -> None:
        """Puts a secret into its file."""
        (self.folder / name).write_text(value, encoding="utf-8")


def files_of(folder: Path, server: AuthorizationServer) -> Files:
    """Right ones: a simulated issuer, one API, an operator who may revoke."""
    secrets = {
        "gateway": {"file": "gateway", "hosts": ["127.0.0.1"]},
        "operator": {"file": "operator"},
    }
    document = {
        "operations": {"token": "operator"},
        "catalog": {"file": "catalog.yaml"},
        "limits": {"check_seconds": 60, "grace_seconds": 60},
        "reload": {"ready_seconds": 60},
        "secrets": secrets,
    }
    files = Files(folder=folder, server=server, document=document)
    files.write()
    files.write_catalog()
    files.write_secret("gateway", server.client_secret)
    files.write_secret("operator", OPERATOR_TOKEN)
    return files


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloading:
    """What a test sees of it."""

    files: Files
    switch: Switch
    reload: Reload
    lasting: Lasting
    asked: asyncio.Event

    async def check(self, token: str | None = None) -> CheckResponse:
        """The answer to a Check as it comes now."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self.switch.servicer.Check(bytes(check_request(headers=headers)))
        return CheckResponse.FromString(answer)

    @property
    def component(self) -> Component:
        """What health says about the settings."""
        return self.lasting.health.components[SETTINGS_COMPONENT]


@asynccontextmanager
async def reloading(files: Files) -> AsyncIterator[Reloading]:
    """Ready, by a clock of the test's own."""
    settings = load(files.config, Settings)
    seen, asked = signatures(watched_files(settings, files.config)), asyncio.Event()
    lasting = Lasting.of(settings, Clock())
    first = await RunningPlane.start(settings, files.folder, lasting=lasting)
    switch = Switch(first, lasting.health)
    try:
        await first.ready(60)
        reload = Reload(files.config, switch, lasting, seen=seen, asked=asked)
        yield Reloading(files=files, switch=switch, reload=reload, lasting=lasting, asked=asked)
    finally:
        await switch.close()
