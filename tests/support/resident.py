"""A resident key manager on loopback, and what its clients send to it."""

import asyncio
import functools
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import yaml
from support.clock import Clock

from extauthz.resident.address import Address
from extauthz.resident.app import create_app
from extauthz.resident.configuration import load_configuration
from extauthz.resident.server import Server, listener
from extauthz.resident.signing_key import generated_pem

ISSUER = "https://login.example.com"
AUDIENCE = "http://org.wso2.apimgt/gateway"
SECRETS = {name: f"{name}-0123456789-0123456789-0123456789" for name in ("weather", "opaque", "gateway", "poster")}


def client(client_id: str, **settings: Any) -> dict[str, Any]:
    digest = hashlib.sha256(SECRETS[client_id].encode()).hexdigest()
    return {"client_id": client_id, "client_secret": {"sha256": digest}, **settings}


CLIENTS = [
    client("weather", scopes=["read", "write"], claims={"department": "weather", "iss_like": 1}),
    client("opaque", scopes=["read"], token_format="opaque", access_token_lifetime_seconds=600),
    client("gateway", may_introspect=True),
    client("poster", token_endpoint_auth_method="client_secret_post"),
]


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(client_id, secret)}


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Any
    body: Any


@dataclass(frozen=True, kw_only=True)
class Resident:
    """A running key manager, and the requests that clients send to it."""

    issuer: str
    origin: str
    """Where it is reached, which behind a proxy is not the issuer."""
    session: aiohttp.ClientSession

    async def post(self, path: str, form: Any = None, as_client: str | None = None, **options: Any) -> Answer:
        if as_client:
            options["headers"] = basic(as_client, SECRETS[as_client]) | options.get("headers", {})
        return await self.send("POST", path, data=form, **options)

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, self.origin + path, **options) as response:
            return Answer(status=response.status, headers=response.headers, body=await response.json(content_type=None))

    async def token_response(self, client_id: str, **form: str) -> dict[str, Any]:
        answer = await self.post("/oauth2/token", {"grant_type": "client_credentials", **form}, client_id)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    async def token(self, client_id: str, **form: str) -> str:
        return str((await self.token_response(client_id, **form))["access_token"])

    async def introspect(self, token: str, as_client: str = "gateway") -> dict[str, Any]:
        answer = await self.post("/oauth2/introspect", {"token": token}, as_client)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    async def revoke(self, token: str, as_client: str) -> int:
        return (await self.post("/oauth2/revoke", {"token": token}, as_client)).status

    async def claims(self, token: str) -> dict[str, Any]:
        """Verified with the published keys, as a resource server does (RFC 9068 §4)."""
        keys = jwt.PyJWKSet.from_dict((await self.get("/oauth2/jwks")).body)
        header = jwt.get_unverified_header(token)
        key = keys[header["kid"]]
        options: Any = {"require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]}
        return dict(
            jwt.decode(token, key, algorithms=[header["alg"]], audience=AUDIENCE, issuer=self.issuer, options=options)
        )


Start = Callable[..., AbstractAsyncContextManager[Resident]]


@functools.cache
def signing_key_pem() -> str:
    """One for all tests: making one takes long."""
    return generated_pem()


@asynccontextmanager
async def running(folder: Path, clock: Clock, **settings: Any) -> AsyncIterator[Resident]:
    """A key manager on a free port. The socket listens before the server runs, so no request comes too early."""
    with listener(Address(host="127.0.0.1", port=0)) as sock:
        origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
        document = {
            "issuer": origin,
            "database": "sqlite://",
            "audience": [AUDIENCE],
            "clients": CLIENTS,
            "signing_key": {"env": "SIGNING_KEY"},
            **settings,
        }
        config = folder / "resident.yaml"
        config.write_text(yaml.safe_dump(document))
        server = Server(create_app(load_configuration(config, {"SIGNING_KEY": signing_key_pem()}), clock))
        serving = asyncio.create_task(server.serve([sock]))
        try:
            async with aiohttp.ClientSession() as session:
                yield Resident(issuer=str(document["issuer"]), origin=origin, session=session)
        finally:
            server.should_exit = True
            await serving
