"""An authorization server on loopback that issues, rotates, revokes, and misbehaves when told to."""

import asyncio
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from json import dumps
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from jwt import api_jws
from support.client_checks import ClientCheck, basic
from support.own_tokens import OwnTokens
from support.signing_keys import SigningKey, private_key, self_signed_certificate
from support.users import Users

HUGE_BYTES = 10 * 1024 * 1024
OPENID_METADATA = "/.well-known/openid-configuration"
RFC_8414_METADATA = "/.well-known/oauth-authorization-server"


class Misbehaviour(StrEnum):
    """What an endpoint does instead of its duty."""

    HANG = "hang"
    """Answers only after `Endpoint.behave()`, and then properly."""
    DISCONNECT = "disconnect"
    """Closes the connection without an answer."""
    HTML = "html"
    HUGE = "huge"
    """The proper answer and 10 MB of spaces, in chunks and without a length."""
    STATUS_500 = "status 500"
    STATUS_503 = "status 503"
    REDIRECT = "redirect"
    """To a place that has the proper answer."""
    ACTIVE_AS_STRING = "active as string"
    """`"active": "true"`; introspection only."""


class Endpoint:
    """One endpoint as a test sees it: how often it was asked, and how it misbehaves."""

    def __init__(self) -> None:
        self.calls = 0
        self._misbehaviour: Misbehaviour | None = None
        self._once = False
        self._changed = asyncio.Condition()

    @property
    def misbehaviour(self) -> Misbehaviour | None:
        """What is wrong now; None: nothing."""
        return self._misbehaviour

    def misbehave(self, how: Misbehaviour, *, once: bool = False) -> None:
        """Answer wrongly from now on, or just to the next request."""
        self._misbehaviour, self._once = how, once

    async def behave(self) -> None:
        """Answer properly from now on, and let go those that hang."""
        self._misbehaviour = None
        async with self._changed:
            self._changed.notify_all()

    async def called(self, times: int) -> None:
        """Wait until the endpoint has been asked this often."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.calls >= times)

    async def count(self) -> Misbehaviour | None:
        """Note a request; returns how to treat it."""
        misbehaviour = self._misbehaviour
        if self._once:
            self._misbehaviour, self._once = None, False
        async with self._changed:
            self.calls += 1
            self._changed.notify_all()
        return misbehaviour

    async def hang(self) -> None:
        """Wait for `behave()`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._misbehaviour is not Misbehaviour.HANG)


class AuthorizationServer:
    """Issues JWTs and opaque tokens, publishes its keys, and answers introspection (RFC 7517, RFC 7662).

    Use it as an async context manager. It signs with RS256 unless a token asks for another algorithm; the key for
    that is made and published at once. Servers of different names have different keys, though under the same `kid`s.
    """

    def __init__(
        self,
        *,
        name: str = "first",
        client_id: str = "gateway",
        client_secret: str = "s3cret:%",  # noqa: S107 - a test's secret, odd enough to need its encoding
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.client_id = client_id
        self.client_secret = client_secret
        self.jwks = Endpoint()
        self.introspection = Endpoint()
        self.token = Endpoint()
        self.metadata = Endpoint()
        self.userinfo = Endpoint()
        self.own_tokens = OwnTokens(clock)
        """What its token endpoint issues to the gateway."""
        self.introspection_client: ClientCheck | None = None
        """Who may introspect; None: `client_id` with HTTP Basic."""
        self.introspection_answer: Callable[[dict[str, Any]], web.Response] = web.json_response
        """The form of its answers."""
        self.questions: list[tuple[Mapping[str, str], Mapping[str, str]]] = []
        """Headers and form of each introspection request that was looked at."""
        self.metadata_paths = {OPENID_METADATA, RFC_8414_METADATA}
        """Where it publishes metadata."""
        self.metadata_changes: dict[str, Any] = {}
        """To the metadata; what is None is left out."""
        self.extra_jwks: list[Any] = []
        """Published as they are, behind the server's own keys."""
        self.users = Users(self._introspected)
        """Whom its userinfo endpoint knows."""
        self.introspection_override: dict[str, Any] | None = None
        """Answered instead of the truth about any token."""
        self._clock = clock
        self._tls = tls
        self._tokens: dict[str, dict[str, Any]] = {}
        self._keys: list[SigningKey] = []
        self._made = 0
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.come_back()
        self.rotate()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go_down()

    @property
    def issuer(self) -> str:
        """`iss` of its tokens."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}"

    @property
    def jwks_uri(self) -> str:
        """Where the keys are."""
        return f"{self.issuer}/jwks"

    @property
    def introspection_endpoint(self) -> str:
        """Where tokens are asked about; see `introspection_client`."""
        return f"{self.issuer}/introspect"

    @property
    def userinfo_endpoint(self) -> str:
        """Where users are asked about, with their own bearer tokens; see `users`."""
        return f"{self.issuer}/userinfo"

    @property
    def token_endpoint(self) -> str:
        """Where the gateway gets tokens of its own; see `own_tokens`."""
        return f"{self.issuer}/token"

    @property
    def signing_key(self) -> SigningKey:
        """The RS256 key in use."""
        return self._key_for("RS256")

    @property
    def certificate(self) -> str:
        """A PEM certificate of the RS256 key in use."""
        return self_signed_certificate(self.signing_key.private_key)

    def jwks_document(self) -> dict[str, Any]:
        """What `jwks_uri` answers."""
        return {"keys": [key.jwk() for key in self._keys] + self.extra_jwks}

    def rotate(self, *, keep_old: bool = True) -> SigningKey:
        """Sign with a new RS256 key from now on; the old ones stay published or vanish."""
        if not keep_old:
            self._keys.clear()
        return self._make_key("RS256")

    def issue_jwt(
        self,
        *,
        alg: str = "RS256",
        key: SigningKey | None = None,
        kid: str | None = "",
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A signed JWT, also known to introspection.

        A claim or header that is None is left out. `kid` "" is the key's own; None: no `kid`. A `key` of the test's
        own signs instead of the server's.
        """
        signer = key or self._key_for(alg)
        header = {"typ": "JWT", "kid": signer.kid if kid == "" else kid, **(headers or {})}
        payload = _without_none({**self._default_claims(), **claims})
        token = api_jws.encode(
            dumps(payload).encode(), signer.private_key, algorithm=alg, headers=_without_none(header)
        )
        self._tokens[token] = payload
        return token

    def issue_opaque(self, **claims: Any) -> str:
        """A token that only introspection understands; a claim that is None is left out."""
        token = f"opaque-{uuid.uuid4().hex}"
        self._tokens[token] = _without_none({**self._default_claims(), "token_type": "Bearer", **claims})
        return token

    def revoke(self, token: str) -> None:
        """Make a token inactive."""
        del self._tokens[token]

    async def go_down(self) -> None:
        """Close every connection and refuse new ones; all misbehaviour ends."""
        if self._runner is not None:
            # Hanging requests would hold up the shutdown.
            for endpoint in (self.jwks, self.introspection, self.token, self.metadata, self.userinfo):
                await endpoint.behave()
            await self._runner.cleanup()
            self._runner = None

    async def come_back(self) -> None:
        """Listen on the same port as before."""
        app = web.Application()
        app.router.add_get("/jwks", self._answer_jwks)
        app.router.add_get("/moved/jwks", self._moved_jwks)
        app.router.add_post("/introspect", self._answer_introspection)
        app.router.add_route("*", "/moved/introspect", self._moved_introspection)
        app.router.add_get("/userinfo", self._answer_userinfo)
        app.router.add_get("/moved/userinfo", self.users.answer)
        app.router.add_post("/token", self._answer_token)
        for path in (OPENID_METADATA, RFC_8414_METADATA):
            app.router.add_get(path, self._answer_metadata)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        self._port = self._runner.addresses[0][1]

    def _default_claims(self) -> dict[str, Any]:
        now = int(self._clock())
        return {
            "iss": self.issuer,
            "sub": "alice",
            "azp": "client-1",
            "client_id": "client-1",
            "scope": "read write",
            "iat": now,
            "exp": now + 3600,
            "jti": uuid.uuid4().hex,
        }

    def _key_for(self, alg: str) -> SigningKey:
        newest_first = reversed(self._keys)
        return next((key for key in newest_first if key.alg == alg), None) or self._make_key(alg)

    def _make_key(self, alg: str) -> SigningKey:
        self._made += 1
        key = SigningKey(kid=f"key-{self._made}", alg=alg, private_key=private_key(alg, f"{self.name} {self._made}"))
        self._keys.append(key)
        return key

    async def _answer_jwks(self, request: web.Request) -> web.Response:
        return await _answer(self.jwks, request, self._moved_jwks)

    async def _answer_introspection(self, request: web.Request) -> web.Response:
        return await _answer(self.introspection, request, self._moved_introspection)

    async def _moved_jwks(self, _request: web.Request) -> web.Response:
        return web.json_response(self.jwks_document())

    async def _moved_introspection(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.questions.append((request.headers, form))
        check = self.introspection_client or basic(self.client_id, self.client_secret)
        if not check(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        if self.introspection_override is not None:
            return self.introspection_answer(self.introspection_override)
        return self.introspection_answer(self._introspected(form.get("token", "")))

    async def _answer_userinfo(self, request: web.Request) -> web.Response:
        return await _answer(self.userinfo, request, self.users.answer)

    async def _answer_token(self, request: web.Request) -> web.Response:
        return await _answer(self.token, request, self.own_tokens.answer)

    async def _answer_metadata(self, request: web.Request) -> web.Response:
        return await _answer(self.metadata, request, self._publish_metadata)

    async def _publish_metadata(self, request: web.Request) -> web.Response:
        if request.path not in self.metadata_paths:
            return web.Response(status=404)
        return web.json_response(
            _without_none({"issuer": self.issuer, "jwks_uri": self.jwks_uri, **self.metadata_changes})
        )

    def _introspected(self, token: str) -> dict[str, Any]:
        claims = self._tokens.get(token)
        if claims is None or claims.get("exp", float("inf")) <= self._clock():
            return {"active": False}
        return {"active": True, **claims}


Handler = Callable[[web.Request], Awaitable[web.Response]]


async def _answer(endpoint: Endpoint, request: web.Request, duty: Handler) -> web.Response:
    misbehaviour = await endpoint.count()
    if misbehaviour is Misbehaviour.HANG:
        await endpoint.hang()
    elif misbehaviour is Misbehaviour.DISCONNECT and request.transport is not None:
        request.transport.close()
    elif misbehaviour is Misbehaviour.HUGE:
        return _padded(await duty(request))
    elif misbehaviour is not None:
        return _WRONG_ANSWERS[misbehaviour](request)
    return await duty(request)


def _padded(answer: web.Response) -> web.Response:
    """The same answer, 10 MB long: right in everything but its size."""
    padded = web.Response(body=(answer.text or "").encode() + b" " * HUGE_BYTES, content_type="application/json")
    padded.enable_chunked_encoding()
    return padded


_WRONG_ANSWERS: Mapping[Misbehaviour, Callable[[web.Request], web.Response]] = {
    Misbehaviour.HTML: lambda _: web.Response(text="<html><body>Log in</body></html>", content_type="text/html"),
    Misbehaviour.STATUS_500: lambda _: web.Response(status=500),
    Misbehaviour.STATUS_503: lambda _: web.Response(status=503),
    Misbehaviour.REDIRECT: lambda request: web.Response(status=307, headers={"Location": f"/moved{request.path}"}),
    Misbehaviour.ACTIVE_AS_STRING: lambda _: web.json_response({"active": "true"}),
}


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
