"""TLS in front of Valkey servers that have none: an Envoy that asks clients for certificates and passes bytes on."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from support.certificate_authority import CertificateAuthority
from support.envoy import envoy_binary

from extauthz.cli.demo import programs
from extauthz.cli.demo.processes import Processes
from extauthz.oauth2.tls import ClientCertificate, client_tls

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_FOREVER = "0s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsProxy:
    """One port with TLS before each port without."""

    authority: CertificateAuthority
    ports: tuple[int, ...]

    def url(self, number: int = 0) -> str:
        """`rediss://` of the port before the server of that number."""
        return f"rediss://127.0.0.1:{self.ports[number]}/0"

    def client(self, name: str = "extauthz") -> ssl.SSLContext:
        """For `RedisOptions.tls`: trusts the authority and has a certificate of it."""
        path, key = self.authority.certificate(name)
        context = client_tls(str(self.authority.ca_file), ClientCertificate(certificate_file=str(path), key=key))
        assert context is not None
        return context


@contextlib.asynccontextmanager
async def tls_proxy(folder: Path, ports: Sequence[int]) -> AsyncIterator[TlsProxy]:
    """Before these ports of 127.0.0.1; its files, and those of its authority, are in `folder`."""
    authority = CertificateAuthority(folder)
    bootstrap, address = folder / "envoy.json", folder / "admin-address"
    bootstrap.write_text(json.dumps(_bootstrap(authority, folder, ports)), encoding="utf-8")

    async def ready() -> bool:
        # Envoy makes the file first and writes it then, in one go: it is missing, empty or whole.
        text = await asyncio.to_thread(lambda: address.read_text(encoding="ascii") if address.exists() else "")
        return bool(text) and await programs.answers_ok(f"http://{text}/ready")()

    program = programs.envoy(envoy_binary(), bootstrap, admin_port=0)
    argv = (*program.argv, "--admin-address-path", str(address))
    async with Processes(folder) as processes:
        await processes.start(replace(program, argv=argv, ready=ready))
        admin = address.read_text(encoding="ascii")
        async with aiohttp.ClientSession() as session, session.get(f"http://{admin}/listeners?format=json") as answer:
            listeners = (await answer.json(content_type=None))["listener_statuses"]
        listening = {each["name"]: each["local_address"]["socket_address"]["port_value"] for each in listeners}
        yield TlsProxy(authority=authority, ports=tuple(listening[str(port)] for port in ports))


def _bootstrap(authority: CertificateAuthority, folder: Path, ports: Sequence[int]) -> dict[str, Any]:
    certificate_file, key = authority.certificate("server")
    key_file = folder / "server.key"
    key_file.write_bytes(key)
    tls = {
        "tls_certificates": [
            {"certificate_chain": {"filename": str(certificate_file)}, "private_key": {"filename": str(key_file)}}
        ],
        "validation_context": {"trusted_ca": {"filename": str(authority.ca_file)}},
    }
    return {
        "admin": {"address": _address(0)},
        "static_resources": {
            "listeners": [_listener(str(port), tls) for port in ports],
            "clusters": [_cluster(str(port), port) for port in ports],
        },
    }


def _listener(name: str, tls: dict[str, Any]) -> dict[str, Any]:
    proxy = {"@type": _TCP, "stat_prefix": name, "cluster": name, "idle_timeout": _FOREVER}
    secured = {"@type": _TLS, "require_client_certificate": True, "common_tls_context": tls}
    return {
        "name": name,
        "address": _address(0),
        "filter_chains": [
            {
                "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}],
                "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": secured},
            }
        ],
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
