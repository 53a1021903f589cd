"""Releases that are installed here: their command lines, started as a kubelet starts them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from helm.kubelet import Started, start
from helm.rendering import Manifest, render
from support.signing_keys import private_key

from extauthz.cli.demo.processes import Processes, Program
from extauthz.cli.demo.programs import answers_ok, free_port

PETSTORE: Manifest = {
    "apis": [
        {
            "id": "petstore",
            "name": "PetStore",
            "version": "v1",
            "context": "/petstore",
            "resources": [
                {"template": "/about", "methods": ["GET"], "open": True},
                {"template": "/pets", "methods": ["GET"]},
            ],
        }
    ]
}
ABOUT, PETS = "https://api.example.com/petstore/about", "https://api.example.com/petstore/pets"


def values(*cases: Manifest) -> Manifest:
    """A release that nobody needs to be asked for: an API, a signing key, a secret for API keys."""
    return {
        "listenHost": "127.0.0.1",
        "ports": {"grpc": free_port(), "operations": free_port(), "httpCheck": free_port()},
        "config": {
            "catalog": {"reload_seconds": 0.05},
            "backend_jwt": {"keys": [{"key": "signing", "algorithm": "ES256"}]},
            "api_keys": {"secret": ["api-keys"]},
            "limits": {"drain_seconds": 0},
            "reload": {"interval_seconds": 0.05},
        },
        "catalog": {"inline": PETSTORE},
        "secrets": {
            "signing": {"existingSecret": "backend-jwt", "key": "tls.key"},
            "api-keys": {"existingSecret": "extauthz", "key": "api-keys", "as": "env"},
        },
        "test": {"cases": list(cases), "secrets": {"ODD_TOKEN": {"existingSecret": "extauthz", "key": "odd"}}},
    }


def secrets() -> dict[str, dict[str, str]]:
    """Those of the namespace."""
    pem = private_key("ES256", "backend").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"backend-jwt": {"tls.key": pem.decode()}, "extauthz": {"api-keys": "k" * 40, "odd": "odd"}}


@asynccontextmanager
async def running(pod: Started, folder: Path, ready_url: str) -> AsyncIterator[None]:
    """The command line of a container, until it is ready."""
    argv = (sys.executable, "-m", "extauthz", *pod.args)
    program = Program(name="pod", argv=argv, ready=answers_ok(ready_url), environment=pod.environment)
    async with Processes(folder / "logs") as processes:
        await processes.start(program)
        yield


@asynccontextmanager
async def installed(release: Manifest, folder: Path, **more_secrets: Any) -> AsyncIterator[Started]:
    """The release as one running pod."""
    rendered = render(release)
    pod = start(rendered, rendered.pod, secrets() | more_secrets, folder / "pod")
    async with running(pod, folder, f"http://127.0.0.1:{release['ports']['operations']}/readyz"):
        yield pod


async def helm_test(release: Manifest, folder: Path, **more_secrets: Any) -> tuple[int | None, str]:
    """The exit status of the test pod, and what it printed."""
    rendered = render(release)
    test = rendered.find("Pod", "gate-extauthz-test")["spec"]
    pod = start(rendered, test, secrets() | more_secrets, folder / "test")
    address = "gate-extauthz.gateways.svc:9191"
    assert address in pod.args
    here = tuple(f"127.0.0.1:{release['ports']['grpc']}" if arg == address else arg for arg in pod.args)
    pod = replace(pod, args=here)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "extauthz", *pod.args),
        env={**pod.environment, "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()
