"""Everything that the demo starts, in order, and where it then is."""

import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from extauthz.authn.api_key_hash import ApiKeyHashes, new_api_key
from extauthz.cli.demo import envoy_bootstrap, programs
from extauthz.cli.demo.keys import write_keys
from extauthz.cli.demo.processes import Processes, Program

_FILES = Path(__file__).with_name("files")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running demo."""

    folder: Path
    envoy_port: int
    operations_port: int
    resident_port: int
    partner_port: int
    client_secret: str = field(repr=False)
    operator_token: str = field(repr=False)
    api_key: str = field(repr=False)

    @property
    def operations_url(self) -> str:
        """Where operators look and revoke."""
        return f"http://127.0.0.1:{self.operations_port}"

    @property
    def envoy_url(self) -> str:
        """Where clients send their requests."""
        return f"http://127.0.0.1:{self.envoy_port}"

    def issuer_url(self, issuer: str) -> str:
        """`resident` or `partner`."""
        return f"http://127.0.0.1:{self.resident_port if issuer == 'resident' else self.partner_port}"


async def start(processes: Processes, folder: Path, envoy: Path, envoy_config: Path) -> World:
    """Starts Valkey, two key managers, the upstream, extauthz and Envoy.

    Raises:
        ProgramFailed: one of them did not come up.
        UnexpectedBootstrap: the Envoy configuration cannot be used.
    """
    names = ("envoy", "admin", "extauthz", "operations", "resident", "partner", "valkey", "upstream")
    ports = {f"{name}_port": programs.free_port() for name in names}
    environment = {
        "DEMO_CACHE_SECRET": secrets.token_urlsafe(32),
        "DEMO_CLIENT_SECRET": secrets.token_urlsafe(32),
        "DEMO_GATEWAY_SECRET": secrets.token_urlsafe(32),
        "DEMO_OPERATOR_TOKEN": secrets.token_urlsafe(32),
        "DEMO_API_KEY_SECRET": secrets.token_urlsafe(32),
    }
    api_key = new_api_key()
    _write_files(folder, ports, api_key_hash=ApiKeyHashes([environment["DEMO_API_KEY_SECRET"].encode()]).entry(api_key))
    await processes.start(programs.valkey(folder, port=ports["valkey_port"]))
    for name in ("resident", "partner"):
        await processes.start(_resident(name, folder, ports[f"{name}_port"], environment))
    await processes.start(programs.echo(port=ports["upstream_port"]))
    await processes.start(_serve(folder, ports["operations_port"], environment))
    bootstrap = envoy_bootstrap.with_ports(
        envoy_bootstrap.load(envoy_config),
        envoy_bootstrap.Ports(
            listener=ports["envoy_port"],
            admin=ports["admin_port"],
            authorization=ports["extauthz_port"],
            upstream=ports["upstream_port"],
        ),
    )
    written = envoy_bootstrap.write(bootstrap, folder / "envoy.yaml")
    await processes.start(programs.envoy(envoy, written, admin_port=ports["admin_port"]))
    return World(
        folder=folder,
        envoy_port=ports["envoy_port"],
        operations_port=ports["operations_port"],
        resident_port=ports["resident_port"],
        partner_port=ports["partner_port"],
        client_secret=environment["DEMO_CLIENT_SECRET"],
        operator_token=environment["DEMO_OPERATOR_TOKEN"],
        api_key=api_key,
    )


def _write_files(folder: Path, ports: dict[str, int], *, api_key_hash: str) -> None:
    write_keys(folder)
    for template in sorted(_FILES.glob("*.yaml")):
        text = Template(template.read_text(encoding="utf-8")).substitute(
            ports, folder=folder, api_key_hash=api_key_hash
        )
        (folder / template.name).write_text(text, encoding="utf-8")


def _resident(name: str, folder: Path, port: int, environment: dict[str, str]) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-m", "extauthz", "resident", "--config", str(folder / f"{name}.yaml")),
        ready=programs.answers_ok(f"http://127.0.0.1:{port}/healthz"),
        environment=environment,
    )


def _serve(folder: Path, operations_port: int, environment: dict[str, str]) -> Program:
    return Program(
        name="extauthz",
        argv=(sys.executable, "-m", "extauthz", "serve", "--config", str(folder / "extauthz.yaml")),
        ready=programs.answers_ok(f"http://127.0.0.1:{operations_port}/readyz"),
        environment=environment,
    )
