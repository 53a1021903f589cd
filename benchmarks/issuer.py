"""A simulated issuer in a process of its own, so that its work is not counted as ours."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.authorization_server import AuthorizationServer

from benchmarks.cores import LOAD, on_core
from benchmarks.requests import GOOD
from extauthz.cli.demo.processes import Processes, Program

_LIFETIME_SECONDS = 7_200
_PADDING = "x" * 98
"""Makes a JWT with an RS256 signature 800 bytes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Where it is, and tokens of it. To introspection every opaque token is good, so that there are enough."""

    key_manager: dict[str, Any] = field(repr=False)
    """Its entry in a catalog."""
    client_secret: str = field(repr=False)
    rs256: list[str] = field(repr=False)
    es256: list[str] = field(repr=False)
    jwk_es256: dict[str, Any] = field(repr=False)
    jwk_rs256: dict[str, Any] = field(repr=False)


@asynccontextmanager
async def running_issuer(folder: Path, *, jwts: int = 1) -> AsyncIterator[Issuer]:
    """An issuer on the core of the load; it has made `jwts` tokens of each algorithm."""
    told = folder / "issuer.json"
    argv = on_core(LOAD, sys.executable, "-m", "benchmarks.issuer", str(told), "--jwts", str(jwts))

    async def ready() -> bool:
        return told.exists()

    async with Processes(folder) as processes:
        await processes.start(Program(name="issuer", argv=argv, ready=ready))
        yield Issuer(**json.loads(told.read_text(encoding="utf-8")))


async def _serve(told: Path, jwts: int) -> None:
    async with AuthorizationServer() as server:
        lasting = {**GOOD, "exp": int(time.time()) + _LIFETIME_SECONDS, "padding": _PADDING}
        server.introspection_override = {"active": True, **lasting, "iss": server.issuer, "sub": "alice"}
        introspection = {
            "endpoint": server.introspection_endpoint,
            "authentication": {"basic": {"username": server.client_id, "password": "gateway"}},
        }
        tokens = {alg: [server.issue_jwt(alg=alg, **lasting) for _ in range(jwts)] for alg in ("RS256", "ES256")}
        jwks = {key["kty"]: key for key in server.jwks_document()["keys"]}
        document = {
            "key_manager": {
                "id": "km",
                "issuer": server.issuer,
                "jwt": {"jwks_uri": server.jwks_uri, "algorithms": ["RS256", "ES256"]},
                "introspection": introspection,
            },
            "client_secret": server.client_secret,
            "rs256": tokens["RS256"],
            "es256": tokens["ES256"],
            "jwk_rs256": jwks["RSA"],
            "jwk_es256": jwks["EC"],
        }
        # Whole or not there at all.
        partial = told.with_suffix(".partial")
        partial.write_text(json.dumps(document), encoding="utf-8")
        partial.rename(told)
        await asyncio.Event().wait()


def main() -> None:
    """Until it is ended."""
    parser = argparse.ArgumentParser(prog="benchmarks.issuer", description=__doc__)
    parser.add_argument("told", type=Path, help="the file that says where it is")
    parser.add_argument("--jwts", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.told, arguments.jwts))


if __name__ == "__main__":
    main()
