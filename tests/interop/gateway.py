"""`extauthz` as a client of the provider: the real process, or its data plane in this process with a clock to move."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from interop.oidc_provider import SECRET, OidcProvider, pem
from support.catalogs import application, catalog_document, key_manager, text_of
from support.check_client import AuthorizationAsyncStub, CheckResponse, allowed, check_request, connected, status_of
from support.clock import Clock

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port
from extauthz.data_plane.build import build
from extauthz.data_plane.servers import envoy_server
from extauthz.document.strict import load
from extauthz.settings.process import Settings

BASIC = {"basic": {"username": "gateway-basic", "password": "secret"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A data plane that answers on a port."""

    stub: AuthorizationAsyncStub

    async def check(
        self, token: str, *, scheme: str = "Bearer", headers: dict[str, str] | None = None, certificate: str = ""
    ) -> CheckResponse:
        authorization = {"authorization": f"{scheme} {token}"}
        request = check_request(headers=authorization | (headers or {}), scheme="https", certificate=certificate)
        return await self.stub.check(request)

    async def allows(self, token: str, **request: Any) -> bool:
        """Whether a token may pass; fails for an answer other than 200 and 401."""
        answer = await self.check(token, **request)
        if answer.ok_response is not None:
            allowed(answer)
            return True
        assert status_of(answer) == 401
        return False


def provider_entry(provider: OidcProvider, authentication: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The key manager of a catalog; `endpoint`, `tls` and `introspection` vary the introspection endpoint."""
    tls = "mutual_tls" in authentication
    introspection = {
        "endpoint": provider.url("/token/introspection", tls=tls),
        "authentication": authentication,
        **({"ca_file": "root.pem"} if tls else {}),
        **settings.pop("introspection", {}),
    }
    jwt = {
        "jwks_uri": provider.url("/jwks"),
        "algorithms": ["RS256", "PS256", "ES256"],
        "audiences": ["petstore"],
        **settings.pop("jwt", {}),
    }
    return key_manager(issuer=provider.issuer, jwt=jwt, introspection=introspection, **settings)


@asynccontextmanager
async def running_gateway(
    folder: Path,
    provider: OidcProvider,
    authentication: dict[str, Any] | None = None,
    *,
    process: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Gateway]:
    """`extauthz serve` with one key manager: the provider. `process` adds to its settings file."""
    port, operations_port = free_port(), free_port()
    addresses = {"listen": f"127.0.0.1:{port}", "operations": {"listen": f"127.0.0.1:{operations_port}"}}
    _write(folder, provider, provider_entry(provider, authentication or BASIC, **settings), addresses | (process or {}))
    async with Processes(folder) as processes:
        await processes.start(
            Program(
                name="extauthz",
                argv=(sys.executable, "-m", "extauthz", "serve", "--config", str(folder / "extauthz.yaml")),
                ready=answers_ok(f"http://127.0.0.1:{operations_port}/readyz"),
            )
        )
        async with connected(port) as stub:
            yield Gateway(stub=stub)


@asynccontextmanager
async def gateway_with_clock(
    folder: Path, provider: OidcProvider, clock: Clock, *, cache: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Gateway]:
    """The data plane as `extauthz serve` puts it together, by the test's clock."""
    port = free_port()
    process = {"listen": f"127.0.0.1:{port}", "cache": cache or {}}
    _write(folder, provider, provider_entry(provider, BASIC, **settings), process)
    async with AsyncExitStack() as stack:
        plane = await build(load(folder / "extauthz.yaml", Settings), folder, stack, clock=clock)
        loaded = asyncio.Event()
        plane.health.subscribe(lambda health: loaded.set() if health.components["catalog"].ok else None)
        following = asyncio.create_task(plane.follow_catalog())
        stack.callback(following.cancel)
        await loaded.wait()
        server = envoy_server(plane.settings, plane.servicer, plane.health, folder, clock)
        await server.start()
        stack.push_async_callback(server.drain, delay_seconds=0, grace_seconds=1)
        yield Gateway(stub=await stack.enter_async_context(connected(port)))


def _write(folder: Path, provider: OidcProvider, entry: dict[str, Any], process: dict[str, Any]) -> None:
    gateway = provider.gateway
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "root.pem").write_text(gateway.authority.ca_file.read_text())
    (folder / "gateway.pem").write_text(gateway.certificate.read_text())
    (folder / "self-signed.pem").write_text(gateway.self_signed_certificate)
    (folder / "gateway-key.pem").write_bytes(gateway.key)
    (folder / "self-signed-key.pem").write_bytes(pem(gateway.self_signed))
    (folder / "private-key-jwt.pem").write_bytes(pem(gateway.own))
    for name, value in (("secret", SECRET), ("wrong", "not the secret")):
        (folder / f"{name}.txt").write_text(value)
    secrets = {
        "secret": {"file": "secret.txt", "hosts": ["127.0.0.1"]},
        "wrong": {"file": "wrong.txt", "hosts": ["127.0.0.1"]},
        "private-key-jwt": {"file": "private-key-jwt.pem"},
        "gateway-key": {"file": "gateway-key.pem"},
        "self-signed-key": {"file": "self-signed-key.pem"},
    }
    settings = {"catalog": {"file": "catalog.yaml"}, "limits": {"drain_seconds": 0}, "secrets": secrets, **process}
    (folder / "extauthz.yaml").write_text(yaml.safe_dump(settings))
    keys = [{"key_manager": "km", "client_id": client_id} for client_id in ("client", "bound")]
    catalog = catalog_document(key_managers=[entry], applications=[application(keys=keys)])
    (folder / "catalog.yaml").write_text(text_of(catalog))
