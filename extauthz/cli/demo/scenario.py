"""The demo's table of requests: what each one shows, and what must come of it."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from extauthz.cli.demo.world import World

OWNED_HEADERS = frozenset({"x_jwt_assertion"})
_CREDENTIALS = frozenset({"authorization", "x_api_key"})
"""As an upstream may read them: case and separator aside."""

_FORGED = "forged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request and its expectation."""

    shows: str
    method: str = "GET"
    path: str
    bearer: str | None = None
    """Whose token is sent: a client's name or `altered` or `unknown`."""
    headers: tuple[tuple[str, str], ...] = ()
    api_key: bool = False
    revoked: bool = False
    """Whether the token is revoked before the request."""
    status: int
    code: str | None = None
    assertion: bool = False
    """Whether the upstream must see a backend JWT."""


_FORECAST = "/weather/v1/forecast"
_PREFLIGHT = (("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "GET"))
_FORGERY = (("X-JWT-Assertion", _FORGED), ("X_JWT_Assertion", _FORGED))

ROWS = (
    Row(shows="no token", path=_FORECAST, status=401, code="900902"),
    Row(shows="JWT of the resident key manager", path=_FORECAST, bearer="mobile-client", status=200, assertion=True),
    Row(shows="the same, with a forged backend JWT", path=_FORECAST, bearer="mobile-client", headers=_FORGERY,
        status=200, assertion=True),
    Row(shows="opaque token, introspected", path=_FORECAST, bearer="mobile-opaque", status=200, assertion=True),
    Row(shows="the same from the cache", path=_FORECAST, bearer="mobile-opaque", status=200, assertion=True),
    Row(shows="the same after it was revoked", path=_FORECAST, bearer="mobile-opaque", revoked=True, status=401,
        code="900904"),
    Row(shows="JWT of a second issuer, by its certificate", path=_FORECAST, bearer="partner-client", status=200,
        assertion=True),
    Row(shows="API key, in a header", path=_FORECAST, api_key=True, status=200, assertion=True),
    Row(shows="CORS preflight of a page that may call", method="OPTIONS", path=_FORECAST, headers=_PREFLIGHT,
        status=200),
    Row(shows="open resource, forged backend JWT", path="/weather/v1/about", headers=_FORGERY, status=200),
    Row(shows="scope is missing", path="/weather/v1/stations/7", bearer="mobile-client", status=403, code="900910"),
    Row(shows="application has not subscribed", path="/billing/v1/invoices", bearer="mobile-client", status=403,
        code="900908"),
    Row(shows="subscription is blocked", path=_FORECAST, bearer="reports-client", status=403, code="900907"),
    Row(shows="key manager not accepted by this API", path="/billing/v1/invoices", bearer="partner-client", status=403,
        code="900908"),
    Row(shows="signature altered", path=_FORECAST, bearer="altered", status=401, code="900901"),
    Row(shows="opaque token that nobody issued", path=_FORECAST, bearer="unknown", status=401, code="900904"),
    Row(shows="two Authorization headers", path=_FORECAST, bearer="mobile-client",
        headers=(("Authorization", "Bearer another"),), status=400, code="900901"),
    Row(shows="method that the resource lacks", method="DELETE", path=_FORECAST, bearer="mobile-client", status=405,
        code="405"),
    Row(shows="no such API", path="/nowhere", bearer="mobile-client", status=404, code="404"),
    Row(shows="token has expired", path=_FORECAST, bearer="mobile-brief", status=401, code="900903"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a row."""

    row: Row
    status: int
    code: str | None
    upstream: Mapping[str, tuple[str, ...]] | None
    """Headers of interest that the upstream saw, folded names; None: the request did not reach it."""

    @property
    def problems(self) -> tuple[str, ...]:
        """How it differs from the expectation."""
        row, found = self.row, []
        if self.status != row.status:
            found.append(f"status {self.status} instead of {row.status}")
        if self.code != row.code:
            found.append(f"code {self.code} instead of {row.code}")
        reached = self.upstream is not None
        if reached != (row.status == HTTPStatus.OK):
            found.append("reached the upstream" if reached else "did not reach the upstream")
        assertions = (self.upstream or {}).get("x_jwt_assertion", ())
        if len(assertions) != row.assertion or _FORGED in assertions:
            found.append(f"the upstream saw {len(assertions)} backend JWTs")
        if not _CREDENTIALS.isdisjoint(self.upstream or {}):
            found.append("the upstream saw the client's credential")
        return tuple(found)

    @property
    def backend_claims(self) -> dict[str, Any]:
        """The claims of the backend JWT, as an upstream reads them."""
        assertions = (self.upstream or {}).get("x_jwt_assertion", ())
        return _claims(assertions[0]) if assertions else {}


async def play(world: World, session: aiohttp.ClientSession) -> list[Outcome]:
    """Sends every row through Envoy, in order."""
    tokens = await _tokens(world, session)
    outcomes = []
    for row in ROWS:
        if row.bearer == "mobile-brief":
            await _until_expired(tokens["mobile-brief"])
        if row.revoked and row.bearer:
            await _revoke(world, session, tokens[row.bearer])
        outcomes.append(await _send(world, session, row, tokens))
    return outcomes


async def token(world: World, session: aiohttp.ClientSession, client_id: str) -> str:
    """An access token by client_credentials (RFC 6749 §4.4)."""
    issuer = "partner" if client_id.startswith("partner") else "resident"
    async with session.post(
        f"{world.issuer_url(issuer)}/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": aiohttp.encode_basic_auth(client_id, world.client_secret)},
        raise_for_status=True,
    ) as response:
        return str((await response.json())["access_token"])


async def _tokens(world: World, session: aiohttp.ClientSession) -> dict[str, str]:
    clients = ("mobile-client", "mobile-opaque", "mobile-brief", "reports-client", "partner-client")
    tokens = {client: await token(world, session, client) for client in clients}
    head, payload, signature = tokens["mobile-client"].split(".")
    swapped = ("B" if signature[0] == "A" else "A") + signature[1:]
    return tokens | {"altered": f"{head}.{payload}.{swapped}", "unknown": "nobody-ever-issued-this"}


async def _revoke(world: World, session: aiohttp.ClientSession, token: str) -> None:
    body = {"key_manager": "resident", "token": token}
    headers = {"Authorization": f"Bearer {world.operator_token}"}
    async with session.post(f"{world.operations_url}/revocations", json=body, headers=headers, raise_for_status=True):
        pass


async def _send(world: World, session: aiohttp.ClientSession, row: Row, tokens: Mapping[str, str]) -> Outcome:
    headers = list(row.headers)
    if row.bearer:
        headers.insert(0, ("Authorization", f"Bearer {tokens[row.bearer]}"))
    if row.api_key:
        headers.append(("X-API-Key", world.api_key))
    async with session.request(row.method, f"{world.envoy_url}{row.path}", headers=headers) as response:
        body = json.loads(await response.read() or b"{}")
    reached = "headers" in body
    return Outcome(
        row=row, status=response.status, code=body.get("code"), upstream=_seen(body["headers"]) if reached else None
    )


def _seen(headers: list[list[str]]) -> dict[str, tuple[str, ...]]:
    seen: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        folded = name.lower().replace("-", "_")
        if folded in OWNED_HEADERS or folded in _CREDENTIALS:
            seen[folded] = (*seen.get(folded, ()), value)
    return seen


async def _until_expired(jwt: str) -> None:
    await asyncio.sleep(max(0.0, _claims(jwt)["exp"] - time.time()) + 0.05)


def _claims(jwt: str) -> dict[str, Any]:
    payload = jwt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
